"""The port `Usage`: the fake and DynamoDB keep the same promises, above all that a batch counts once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.ids import new_session_id
from chalicelib.domain.usage import Served, day_key, day_of
from chalicelib.ports import Usage
from tests.fakes.usage import MemoryUsage

NOW = 1_800_000_000_000
PART = Served(media_ms=2_002, media_bytes=500, segments=1, requests=2, first_at_ms=NOW, last_at_ms=NOW + 1_000)


@pytest.fixture(params=["memory", "dynamodb"])
def usage(request: pytest.FixtureRequest) -> Usage:
    if request.param == "memory":
        return MemoryUsage()
    from chalicelib.adapters.dynamodb_usage import DynamoUsage

    return DynamoUsage(request.getfixturevalue("module_settings").table_prefix)


def add(usage: Usage, key: str, batch: int, follower: str = "one", served: Served = PART) -> bool:
    return usage.add(key, served, follower=follower, batch=batch, now_ms=NOW)


def test_batches_add_up(usage: Usage) -> None:
    session_id = new_session_id()
    assert usage.get(session_id) is None
    assert add(usage, session_id, 1)
    later = Served(media_bytes=7, requests=1, first_at_ms=NOW + 9_000, last_at_ms=NOW + 9_000)
    assert add(usage, session_id, 5, served=later)
    assert usage.get(session_id) == Served(
        media_ms=2_002, media_bytes=507, segments=1, requests=3, first_at_ms=NOW, last_at_ms=NOW + 9_000
    )


def test_a_batch_counts_once_for_each_session(usage: Usage) -> None:
    first, second = new_session_id(), new_session_id()
    assert add(usage, first, 3)
    assert not add(usage, first, 3)
    assert not add(usage, first, 2)
    assert add(usage, second, 3), "another session of the same batch"
    assert usage.get(first) == usage.get(second) == PART


def test_followers_do_not_stand_in_each_others_way(usage: Usage) -> None:
    session_id = new_session_id()
    assert add(usage, session_id, 9, follower="one")
    assert add(usage, session_id, 1, follower="two")
    found = usage.get(session_id)
    assert found and found.media_ms == 2 * PART.media_ms


def test_of_the_same_batch_at_once_one_counts(usage: Usage) -> None:
    session_id = new_session_id()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: add(usage, session_id, 1), range(8))) == 1
    assert usage.get(session_id) == PART


def test_days_lie_beside_sessions(usage: Usage) -> None:
    key = day_key(day_of(NOW))
    assert key == "day:2027-01-15"
    assert add(usage, key, 1)
    assert usage.get(key) == PART


def test_marks_tell_how_far_each_follower_is(usage: Usage) -> None:
    usage.mark("one", NOW)
    usage.mark("two", NOW + 1)
    usage.mark("one", NOW + 2)
    assert usage.marks() == {"one": NOW + 2, "two": NOW + 1}
