"""Retries of a start: the same key, a time limit, and refusals."""

import re
from typing import Any

import pytest

from player.errors import LoginExpiredError, StartUnansweredError, UnreachableError
from player.http.client import ProblemError
from player.session import start as module
from player.session.playback_api import Lease
from player.session.start import PlayRequest, start_session
from tests.unit.player.player_fakes import lease

AWAY = UnreachableError("x", "it did not answer in time")
TOO_OFTEN = ProblemError(429, {"code": "too_many_requests"})
NOT_LIVE = ProblemError(409, {"code": "stream_not_live"})


class Starts:
    """A server with a list of answers to starts; it repeats the last one."""

    def __init__(self, *answers: Lease | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def start(self, stream_id: str, key: str, timeout_s: float, replace: bool, max_points: int | None) -> Lease:
        self.asked.append((stream_id, key, replace, max_points))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_DELAYS_S", (0.0, 0.0, 0.0))


def start(server: Starts) -> Lease:
    return start_session(server, PlayRequest("stream-1", 30), replace=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("failures", [(), (AWAY,), (AWAY, AWAY, TOO_OFTEN), (AWAY, LoginExpiredError())])
def test_lost_answers_are_retried_with_the_same_key(failures: tuple[Exception, ...]) -> None:
    server = Starts(*failures, lease())
    assert start(server) == lease()
    assert len(server.asked) == len(failures) + 1 and len(set(server.asked)) == 1
    stream_id, key, replace, max_points = server.asked[0]
    assert (stream_id, replace, max_points) == ("stream-1", True, 30)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,64}", key), "128 bits and more"


def test_every_start_has_its_own_key() -> None:
    server = Starts(lease())
    start(server), start(server)
    assert server.asked[0][1] != server.asked[1][1]


@pytest.mark.parametrize("refusal", [NOT_LIVE, TOO_OFTEN, LoginExpiredError()])
def test_a_refusal_is_not_retried(refusal: Exception) -> None:
    server = Starts(refusal)
    with pytest.raises(type(refusal)):
        start(server)
    assert len(server.asked) == 1


def test_a_refusal_after_a_lost_answer_settles_it() -> None:
    server = Starts(AWAY, NOT_LIVE)
    with pytest.raises(ProblemError, match="stream_not_live"):
        start(server)


@pytest.mark.parametrize("later", [AWAY, TOO_OFTEN, LoginExpiredError()])
def test_retries_are_bounded_and_the_uncertainty_is_reported(later: Exception) -> None:
    server = Starts(AWAY, later)
    with pytest.raises(StartUnansweredError) as caught:
        start(server)
    assert len(server.asked) == 4
    assert caught.value.exit_code == 5 and "may have been bought" in caught.value.format_message()


def test_no_retry_begins_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_S_MAX", 1.2)
    monkeypatch.setattr(module, "RETRY_DELAYS_S", (0.1, 0.2, 5.0))
    server = Starts(AWAY)
    with pytest.raises(StartUnansweredError):
        start(server)
    assert len(server.asked) < 1 + len(module.RETRY_DELAYS_S)
