"""Every kind of input in seconds: the worker's receiver and transcoders without their clock, many inputs at once.

`make zoo` tries all inputs in real time, with a platform, its network and a paying viewer.

They run at the lowest priority: they take what the tests that run in real time beside them leave of the processors.
"""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

import pytest

from tests.media.inputs.model import Feed
from tests.media.inputs.table import BY_NAME
from tests.media.judging.judge import Result
from tests.media.quick import tried
from tests.media.quick_choice import LEFT_OUT, QUICK

AT_ONCE = 3
NICENESS = 19
# For all inputs: a test may wait for those before its own.
TRY_S_MAX = 540
pytestmark = pytest.mark.timeout(600)
INPUTS_MIN = 60


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Result]]]:
    """Begin with all inputs that were asked for; a test waits for its own."""
    tests = [each for each in request.session.items if each.path == request.path and hasattr(each, "callspec")]
    asked = {each.callspec.params["name"] for each in tests}
    names = [item.name for item in QUICK if item.name in asked]
    work = tmp_path_factory.mktemp("zoo")
    cache = work / "inputs"
    cache.mkdir()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, context, initializer=os.nice, initargs=(NICENESS,)) as pool:
        yield {name: pool.submit(tried, BY_NAME[name], cache, work) for name in names}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", [item.name for item in QUICK])
def test_an_input_comes_out_as_it_should(name: str, results: dict[str, Future[Result]]):
    result = results[name].result(TRY_S_MAX)
    assert result.is_right, f"{'; '.join(result.faults)} ({result.figure})"


def test_there_are_inputs_of_every_kind():
    assert set(BY_NAME) >= LEFT_OUT
    assert len(QUICK) >= INPUTS_MIN
    assert {item.feed for item in QUICK} == set(Feed)
