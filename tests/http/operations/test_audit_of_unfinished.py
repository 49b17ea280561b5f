"""Operators' actions are in the audit log even if they failed midway, and a repetition finishes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chalicelib.config import Settings, load
from chalicelib.domain.accounts.users import User
from chalicelib.domain.end_reasons import EndReason
from tests.http.conftest import Api

IP = "192.0.2.56"
UNFINISHED = {"finished": False}


@pytest.fixture(scope="module")
def module_settings(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Return the settings of a machine with a gateway, for this process and the API's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOLLCAST_DENYLIST_DIR", str(tmp_path_factory.mktemp("denylist")))
        yield load()


@pytest.fixture(scope="module")
def api(api: Api) -> Iterator[Api]:
    """The same. Failing stores are logged with a traceback, which is expected here."""
    yield api
    api.log.write_text("")


@pytest.fixture
def operator(api: Api) -> dict[str, str]:
    return {**api.admin(), "x-real-ip": IP}


@pytest.fixture
def watched(api: Api) -> tuple[User, str, str]:
    user, stream_id = api.user(millipoints=100_000), api.live_stream()
    return user, api.start(api.login(user), stream_id).json()["session_id"], stream_id


@contextmanager
def unwritable(directory: Path | None, part: str) -> Iterator[None]:
    """The part of the denylist cannot be written to, as on a disk that is full."""
    assert directory is not None
    (directory / part).mkdir(parents=True, exist_ok=True)
    (directory / part).rename(directory / "aside")
    (directory / part).write_text("")
    try:
        yield
    finally:
        (directory / part).unlink()
        (directory / "aside").rename(directory / part)


def entries(api: Api, operator: dict[str, str], target: str) -> list[tuple[Any, ...]]:
    """Return the target's entries, oldest first: action, state before and after, details."""
    items = [item for item in api.get(operator, "/audit")["items"] if item["target"] == target]
    return [(item["action"], item["before"], item["after"], item["details"]) for item in reversed(items)]


def denied(api: Api, session_id: str) -> bool:
    directory = api.services.settings.denylist_dir
    return directory is not None and (directory / "sessions" / session_id).exists()


def test_an_account_that_was_disabled_and_whose_sessions_could_not_be_denied(
    api: Api, operator: dict[str, str], watched: tuple[User, str, str]
) -> None:
    user, session_id, _ = watched
    change = {"disabled": True, "password": "another password", "role": "admin"}
    with unwritable(api.services.settings.denylist_dir, "sessions"):
        answer = api.http.patch(f"/users/{user.user_id}", json=change, headers=operator)
    assert answer.status_code == 503
    before, after = {"role": "viewer", "disabled": False}, {"role": "admin", "disabled": True}
    details = {"password": "reset", **UNFINISHED}
    assert entries(api, operator, user.user_id) == [("user.edit", before, after, details)]
    assert not denied(api, session_id)
    assert api.http.patch(f"/users/{user.user_id}", json=change, headers=operator).status_code == 200
    assert denied(api, session_id), "asking again denies it, though it has ended"


def test_a_kick_and_an_erasure_that_could_not_be_finished(
    api: Api, operator: dict[str, str], watched: tuple[User, str, str]
) -> None:
    user, session_id, stream_id = watched
    with unwritable(api.services.settings.denylist_dir, "sessions"):
        kick = api.http.post("/playback/kick", json={"session_id": session_id, "reason": "rude"}, headers=operator)
    assert kick.status_code == 503
    details = {"reason": "rude", "stream_id": stream_id, **UNFINISHED}
    assert entries(api, operator, session_id) == [("session.kick", {}, {"end_reason": "kicked"}, details)]
    api.start(api.login(user), stream_id)
    with unwritable(api.services.settings.denylist_dir, "sessions"):
        assert api.http.post(f"/users/{user.user_id}/erase", headers=operator).status_code == 503
    [(_, _, *rest)] = entries(api, operator, user.user_id)
    assert rest == [{"disabled": True}, UNFINISHED]


def test_a_pause_without_notifying_the_gateway(api: Api, operator: dict[str, str]) -> None:
    stream_id = api.live_stream()
    with unwritable(api.services.settings.denylist_dir, "streams"):
        answer = api.http.post(f"/streams/{stream_id}/state", json={"state": "paused"}, headers=operator)
    assert answer.status_code == 503
    [(_, *rest)] = entries(api, operator, stream_id)
    assert rest == [{"desired_state": "live"}, {"desired_state": "paused"}, UNFINISHED]


def test_a_logout_everywhere_that_is_repeated_denies_what_has_ended(api: Api, watched: tuple[User, str, str]) -> None:
    user, session_id, _ = watched
    with unwritable(api.services.settings.denylist_dir, "sessions"):
        answer = api.http.post("/auth/logout-everywhere", headers=api.login(user))
    assert answer.status_code == 503 and not denied(api, session_id)
    api.services.credentials.logout_everywhere(user.user_id)
    assert denied(api, session_id)
    record = api.services.stores.sessions.get(session_id)
    assert record is not None and record.end_reason is EndReason.VIEWER_STOPPED
