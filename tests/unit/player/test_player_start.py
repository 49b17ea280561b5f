import re

import pytest

from player.errors import LoginExpiredError, StartUnansweredError, UnreachableError
from player.http.client import ProblemError
from player.session import start as module
from player.session.start import PlayRequest, start_session
from tests.unit.player.player_fakes import ScriptedServer, lease

AWAY = UnreachableError("x", "it did not answer in time")
TOO_OFTEN = ProblemError(429, {"code": "too_many_requests"})
NOT_LIVE = ProblemError(409, {"code": "stream_not_live"})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_DELAYS_S", (0.0, 0.0, 0.0))


def start(server):
    return start_session(server, PlayRequest("stream-1", 30), replace=True)


@pytest.mark.parametrize("failures", [(), (AWAY,), (AWAY, AWAY, TOO_OFTEN), (AWAY, LoginExpiredError())])
def test_lost_answers_are_retried_with_the_same_key_and_every_start_has_its_own(failures):
    server = ScriptedServer(*failures, lease(), lease())
    assert start(server) == lease() and len(server.starts) == len(failures) + 1 and len(set(server.starts)) == 1
    stream_id, key, replace, max_points = server.starts[0]
    assert (stream_id, replace, max_points) == ("stream-1", True, 30)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,64}", key), "128 bits and more"
    start(server)
    assert server.starts[-1][1] != key


@pytest.mark.parametrize("refusal", [NOT_LIVE, TOO_OFTEN, LoginExpiredError()])
def test_a_refusal_is_not_retried(refusal):
    server = ScriptedServer(refusal)
    with pytest.raises(type(refusal)):
        start(server)
    assert len(server.starts) == 1


def test_a_refusal_after_a_lost_answer_settles_it():
    with pytest.raises(ProblemError, match="stream_not_live"):
        start(ScriptedServer(AWAY, NOT_LIVE))


@pytest.mark.parametrize("later", [AWAY, TOO_OFTEN, LoginExpiredError()])
def test_retries_are_bounded_and_the_uncertainty_is_reported(later):
    server = ScriptedServer(AWAY, *[later] * 4)
    with pytest.raises(StartUnansweredError) as caught:
        start(server)
    assert len(server.starts) == 4
    assert caught.value.exit_code == 5 and "may have been bought" in caught.value.format_message()


def test_no_retry_begins_after_the_time_limit(monkeypatch):
    monkeypatch.setattr(module, "START_S_MAX", 1.2)
    monkeypatch.setattr(module, "RETRY_DELAYS_S", (0.1, 0.2, 5.0))
    server = ScriptedServer(*[AWAY] * 5)
    with pytest.raises(StartUnansweredError):
        start(server)
    assert len(server.starts) < 1 + len(module.RETRY_DELAYS_S)
