"""An edit that another one overtakes between its read and its write: it is refused, and nothing else is done."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.errors import ChangedMeanwhile
from chalicelib.domain.operations.audit import Actor
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.domain.versions import Expected
from chalicelib.ports.common import RowRefused
from tests.fakes.stores import memory_services

OPERATOR = Actor(user_id="u_operator")
STREAM = Stream(stream_id="stream-1", title="A", ingest=Ingest(mode=IngestMode.TEST), desired_state=DesiredState.LIVE)


@pytest.fixture
def services() -> Container:
    services = memory_services()
    services.stores.streams.add(STREAM)
    return services


def overtaken(store: Any, name: str, meanwhile: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something happen just before the store's next write, which is then refused as the store would."""
    write = getattr(store, name)

    def overtake(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(store, name, write)
        meanwhile()
        return write(*given, **named)

    monkeypatch.setattr(store, name, overtake)


def titled(services: Container) -> Callable[[], object]:
    return lambda: services.streams.edit("stream-1", {"title": "B"})


COMMANDS: dict[str, Callable[[Container, Expected], object]] = {
    "edit": lambda s, e: s.streams.edit("stream-1", {"viewers_max": 3}, by=OPERATOR, expected=e),
    "state": lambda s, e: s.streams.set_state("stream-1", DesiredState.STOPPED, by=OPERATOR, expected=e),
    "restart": lambda s, e: s.streams.restart("stream-1", by=OPERATOR, expected=e),
    "key": lambda s, e: s.streams.rotate_ingest_key("stream-1", by=OPERATOR, expected=e),
    "archive": lambda s, e: s.streams.archive("stream-1", by=OPERATOR, expected=e),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stream_that_is_changed_meanwhile_is_left_as_it_is(
    services: Container, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams: Any = services.stores.streams
    overtaken(streams, "replace", titled(services), monkeypatch)
    with pytest.raises(ChangedMeanwhile) as refused:
        COMMANDS[command](services, {1})
    assert refused.value.extra["differing"] == [{"field": "title", "seen": "A", "current": "B"}]
    after = streams.get("stream-1")
    assert (after.title, after.version, after.desired_state) == ("B", 2, DesiredState.LIVE)
    denylist, log, queue = (getattr(services.stores, name) for name in ("denylist", "audit_log", "queue"))
    assert (log.entries, vars(denylist), queue.receive(0)) == ([], vars(type(denylist)()), [])
    # Without a version, and with any of several, both changes are made.
    overtaken(streams, "replace", lambda: services.streams.edit("stream-1", {"title": "C"}), monkeypatch)
    COMMANDS[command](services, {2, 3})
    after = streams.get("stream-1")
    assert (after.title, after.version) == ("C", 4)
    assert [each.action.target for each in log.entries] == ["stream-1"]


def test_an_account_that_is_changed_meanwhile_is_left_as_it_is(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    users: Any = services.stores.users
    user_id = services.accounts.create("a@b", "a good password", Role.VIEWER).user_id
    change: Any = services.accounts.change
    overtaken(users, "change", lambda: users.change(user_id, role="finance"), monkeypatch)
    ended: list[str] = []
    monkeypatch.setattr(services.billing, "end_all", lambda user_id, reason: ended.append(user_id))
    with pytest.raises(ChangedMeanwhile) as refused:
        change(user_id, disabled=True, password="another good password", by=OPERATOR, expected={1})
    assert refused.value.extra["differing"] == [{"field": "role", "seen": "viewer", "current": "finance"}]
    log: Any = services.stores.audit_log
    assert (users.get(user_id).disabled, users.get(user_id).version, ended, log.entries) == (False, 2, [], [])
    assert change(user_id, disabled=True, by=OPERATOR, expected={2}).version == 3
    assert ended == [user_id]
    with pytest.raises(RowRefused):
        users.change(user_id, disabled=False, version=2)
