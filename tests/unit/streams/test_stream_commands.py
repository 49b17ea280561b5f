"""Operators' commands on a stream: two reads of it, and an audit entry with what was before and after."""

from collections.abc import Callable

import pytest

from chalicelib.domain.operations.audit import Actor
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.operations.workers import WorkersService
from chalicelib.services.streams.controller import Controller
from chalicelib.services.streams.streams import StreamsService
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.wallets import MemoryStore
from tests.fakes.operations.audit import MemoryAuditLog, audit_of
from tests.fakes.operations.workers import MemoryWorkers
from tests.fakes.simple import RecordingDenylist, SetClock
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fakes.streams.streams import MemoryStreams
from tests.fakes.streams.work_queue import MemoryWorkQueue

OPERATOR = Actor(user_id="u_operator", ip="192.0.2.1")
STREAM = Stream(stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST))


class CountingStreams(MemoryStreams):
    reads = 0

    def get(self, stream_id: str) -> Stream | None:
        self.reads += 1
        return super().get(stream_id)


class Services:
    def __init__(self) -> None:
        self.table, self.log, self.clock, self.denylist = (
            CountingStreams(),
            MemoryAuditLog(),
            SetClock(),
            RecordingDenylist(),
        )
        runtimes, sessions = MemoryRuntimes(), MemoryPlaybackSessions(MemoryStore())
        controller = Controller(
            streams=self.table,
            runtimes=runtimes,
            sessions=sessions,
            queue=MemoryWorkQueue(),
            billing=None,  # type: ignore[arg-type]
            workers=WorkersService(MemoryWorkers(), self.clock),
            denylist=self.denylist,
            clock=self.clock,
        )
        self.streams = StreamsService(
            streams=self.table,
            runtimes=runtimes,
            sessions=sessions,
            controller=controller,
            audit=audit_of(self.log),
            clock=self.clock,
            sees_clients=True,
            check_source=lambda url: None,
        )
        self.table.add(STREAM)

    def entries(self) -> list[tuple[str, object, object, object]]:
        page = self.log.newest(self.clock.now_ms(), limit=10, cursor=None)
        return [(e.action.name, e.action.before, e.action.after, e.action.details) for e in page.items]


@pytest.mark.parametrize(
    ("command", "name", "before", "after"),
    [
        (
            lambda streams: streams.set_state("stream-1", DesiredState.LIVE, by=OPERATOR),
            "stream.state",
            {"desired_state": "stopped"},
            {"desired_state": "live"},
        ),
        (
            lambda streams: streams.restart("stream-1", by=OPERATOR),
            "stream.restart",
            {"generation": 1},
            {"generation": 2},
        ),
        (lambda streams: streams.rotate_ingest_key("stream-1", by=OPERATOR), "stream.ingest-key", {}, {}),
        (
            lambda streams: streams.archive("stream-1", by=OPERATOR),
            "stream.archive",
            {"archived": False},
            {"archived": True},
        ),
    ],
)
def test_a_command_reads_its_stream_twice_and_is_audited(
    command: Callable[[StreamsService], Stream], name: str, before: object, after: object
) -> None:
    services = Services()
    changed = command(services.streams)
    assert services.table.reads == 2
    assert services.table.get("stream-1") == changed
    assert services.entries() == [(name, before, after, {})]


def test_a_command_that_fails_halfway_is_audited_as_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services()

    def full(stream_id: str) -> None:
        raise StoreUnavailable("full")

    monkeypatch.setattr(services.denylist, "allow_stream", full)
    with pytest.raises(StoreUnavailable):
        services.streams.set_state("stream-1", DesiredState.LIVE, by=OPERATOR)
    assert services.entries() == [
        ("stream.state", {"desired_state": "stopped"}, {"desired_state": "live"}, {"finished": False})
    ]


def test_a_command_without_an_operator_is_not_audited() -> None:
    services = Services()
    services.streams.set_state("stream-1", DesiredState.LIVE)
    assert services.entries() == []
