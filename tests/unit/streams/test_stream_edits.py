"""The effects of a change of settings on a running stream. A dry run has none."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.errors import Busy, Invalid, StreamNotFound
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.pacing import Latency
from chalicelib.domain.streams.runtime import SLATE, Runtime, RuntimeState, source_name
from chalicelib.domain.streams.source_urls import check_source_url
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream
from chalicelib.domain.streams.stream_edits import RESTART_FIELDS, Applies
from chalicelib.ports.common import RowRefused, StoreUnavailable
from chalicelib.services.streams import streams as service
from chalicelib.services.streams.streams import StreamsService
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.wallets import MemoryStore
from tests.fakes.operations.audit import MemoryAuditLog, audit_of
from tests.fakes.simple import SetClock
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fakes.streams.streams import MemoryStreams

LIVE = Stream(
    stream_id="stream-1",
    title="t",
    ingest=Ingest(mode=IngestMode.TEST),
    slate=True,
    segment_seconds=1,
    desired_state=DesiredState.LIVE,
)
LADDER = (Rendition(name="360p", width=640, height=360, video_bps=700_000, audio_bps=96_000),)
NONE, HOT, RESTART = Applies.NONE, Applies.HOT, Applies.RESTART


class Services:
    """The service over stores in memory, with one stream."""

    def __init__(self, sees_clients: bool = True) -> None:
        self.table, self.runtimes, self.store = MemoryStreams(), MemoryRuntimes(), MemoryStore()
        self.sessions = MemoryPlaybackSessions(self.store)
        self.streams = StreamsService(
            streams=self.table,
            runtimes=self.runtimes,
            sessions=self.sessions,
            controller=None,  # type: ignore[arg-type]
            audit=audit_of(MemoryAuditLog()),
            clock=SetClock(),
            sees_clients=sees_clients,
            check_source=check_source_url,
        )
        self.table.add(LIVE)

    def plays(self, source: str) -> None:
        claim = self.runtimes.claim("stream-1", "w1", 0, 10**15)
        assert claim
        self.runtimes.report(claim, Runtime(stream_id="stream-1", state=RuntimeState.LIVE, source=source))

    def watched(self) -> None:
        record = SessionRecord(
            session_id=new_session_id(),
            user_id="u",
            stream_id="stream-1",
            kind=SessionKind.VIEWING,
            started_at_ms=1,
            rate_millipoints_per_minute=0,
            lease_ms=10_000,
            due_shard=0,
            due_ms=1,
        )
        self.store.records[record.session_id] = record


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.mark.parametrize(
    ("changes", "does"),
    [
        ({"title": "new"}, HOT),
        ({"rate_millipoints_per_minute": 1}, HOT),
        ({"lease_ms": 20_000}, HOT),
        ({"window_minutes": 9}, HOT),
        ({"viewers_max": 9}, HOT),
        ({"latency": Latency.LOW}, HOT),
        ({"session_binding": SessionBinding.ENFORCE}, HOT),
        ({"slate": False}, HOT),
        ({"backups": (Ingest(mode=IngestMode.TEST),)}, RESTART),
        ({"ingest": Ingest(mode=IngestMode.FILE, path="x.mp4")}, RESTART),
        ({"ingest": Ingest(mode=IngestMode.FILE, path="x.mp4", audio_track=2)}, RESTART),
        ({"frozen_after_s": 60}, RESTART),
        ({"abr_profile": "sd"}, RESTART),
        ({"abr_profile": "custom", "custom_renditions": LADDER}, RESTART),
        ({"abr_profile": "custom", "custom_renditions": LADDER, "fps_max": 50}, RESTART),
        ({"segment_seconds": 4}, RESTART),
        ({"title": "new", "segment_seconds": 4}, RESTART),
        ({"title": "t", "segment_seconds": 1}, NONE),
        ({}, NONE),
    ],
)
def test_each_setting_applies_as_it_says(services: Services, changes: dict[str, Any], does: Applies) -> None:
    planned = services.streams.edit("stream-1", changes, dry_run=True)
    assert (planned.applies, planned.viewers, planned.view.stream) == (does, 0, LIVE)
    assert services.table.get("stream-1") == LIVE
    done = services.streams.edit("stream-1", changes)
    assert (done.applies, done.viewers) == (does, 0)
    expected = replace(LIVE, **changes, generation=1 + (does is RESTART), version=1 + (does is not NONE))
    assert services.table.get("stream-1") == done.view.stream == expected


def test_no_field_is_forgotten() -> None:
    # A new setting must be put on one side or the other.
    hot = {"title", "rate_millipoints_per_minute", "lease_ms", "window_minutes", "viewers_max", "latency", "slate"}
    hot |= {"session_binding"}
    own = {"stream_id", "desired_state", "desired_since_ms", "generation", "version", "archived", "created_at_ms"}
    assert hot | own | RESTART_FIELDS == set(Stream.__dataclass_fields__)


@pytest.mark.parametrize(("source", "does"), [(SLATE, RESTART), (source_name(0), HOT)])
def test_a_slate_that_is_played_ends_by_a_restart(services: Services, source: str, does: Applies) -> None:
    services.plays(source)
    assert services.streams.edit("stream-1", {"slate": False}).applies is does
    stored = services.table.get("stream-1")
    assert stored and stored.generation == 1 + (does is RESTART)


def test_a_restart_meets_those_who_watch(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        services.watched()
    assert services.streams.edit("stream-1", {"segment_seconds": 2}).viewers == 3
    assert services.streams.edit("stream-1", {"title": "hot"}).viewers == 0
    monkeypatch.setattr(service, "VIEWERS_PER_PAGE", 1)
    monkeypatch.setattr(service, "VIEWERS_COUNTED_MAX", 2)
    assert services.streams.edit("stream-1", {"segment_seconds": 3}).viewers == 2


def test_what_is_not_live_has_nothing_to_restart(services: Services) -> None:
    services.table.replace(LIVE, replace(LIVE, desired_state=DesiredState.PAUSED))
    assert services.streams.edit("stream-1", {"segment_seconds": 2}).applies is HOT
    stored = services.table.get("stream-1")
    assert stored and stored.generation == 2


def test_a_stream_is_created_though_another_write_was_in_the_way(services: Services) -> None:
    add, refused = services.table.add, iter([True, False, *[True] * service.TRIES_MAX])

    def in_the_way(stream: Stream) -> None:
        if next(refused):
            raise RowRefused
        add(stream)

    services.table.add = in_the_way  # type: ignore[method-assign]
    assert services.streams.create(replace(LIVE, stream_id="stream-2")).stream_id == "stream-2"
    with pytest.raises(Busy):
        services.streams.create(replace(LIVE, stream_id="stream-3"))
    assert services.table.get("stream-2") and services.table.get("stream-3") is None


def test_a_dry_run_is_refused_what_a_change_would_be(services: Services) -> None:
    with pytest.raises(Invalid, match="low latency needs segment_seconds 1"):
        services.streams.edit("stream-1", {"latency": Latency.LOW, "segment_seconds": 2}, dry_run=True)
    with pytest.raises(StreamNotFound):
        services.streams.edit("stream-2", {"title": "x"}, dry_run=True)


def test_a_window_that_is_too_long_is_refused_but_never_in_the_way_of_another_change(services: Services) -> None:
    with pytest.raises(Invalid, match=r"segment_seconds 1 .* allowed: window_minutes up to 260"):
        services.streams.edit("stream-1", {"window_minutes": 720})
    with pytest.raises(Invalid, match="segment_seconds 3 and more"):
        services.streams.create(replace(LIVE, stream_id="stream-2", window_minutes=720))
    # From before there was a bound.
    old = replace(LIVE, window_minutes=720, version=2)
    services.table.replace(LIVE, old)
    assert services.streams.edit("stream-1", {"title": "x"}).applies is HOT
    with pytest.raises(Invalid, match="window_minutes 720 with segment_seconds 2"):
        services.streams.edit("stream-1", {"segment_seconds": 2})
    assert services.streams.edit("stream-1", {"segment_seconds": 3}).applies is RESTART


def test_a_binding_that_no_gateway_would_hold_is_refused() -> None:
    blind = Services(sees_clients=False)
    for binding in (SessionBinding.WARN, SessionBinding.ENFORCE):
        with pytest.raises(Invalid, match=r"session_binding: .* allowed: `off`"):
            blind.streams.edit("stream-1", {"session_binding": binding}, dry_run=True)
        with pytest.raises(Invalid, match="allowed: `off`"):
            blind.streams.create(replace(LIVE, stream_id="stream-2", session_binding=binding))
    # A policy from another gateway blocks neither other changes nor its removal.
    bound = replace(LIVE, session_binding=SessionBinding.WARN, version=2)
    blind.table.replace(LIVE, bound)
    assert blind.streams.edit("stream-1", {"title": "x"}).applies is HOT
    assert blind.streams.edit("stream-1", {"session_binding": SessionBinding.OFF}).applies is HOT


@pytest.mark.parametrize("silent", ["sessions", "runtimes"])
def test_an_edit_that_cannot_be_answered_has_not_happened(
    services: Services, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise StoreUnavailable("no answer")

    where, name = {"sessions": (services.sessions, "active"), "runtimes": (services.runtimes, "get")}[silent]
    monkeypatch.setattr(where, name, unavailable)
    with pytest.raises(StoreUnavailable):
        services.streams.edit("stream-1", {"segment_seconds": 2})
    assert services.table.get("stream-1") == LIVE


def test_an_edit_holds_against_what_others_change_meanwhile(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = services.table.replace

    def overtaken(seen: Stream, new: Stream) -> None:
        monkeypatch.undo()
        replaced(seen, replace(seen, title="theirs"))
        replaced(seen, new)

    monkeypatch.setattr(services.table, "replace", overtaken)
    edit = services.streams.edit("stream-1", {"segment_seconds": 2})
    stored = services.table.get("stream-1")
    assert edit.view.stream == stored == replace(LIVE, title="theirs", segment_seconds=2, generation=2, version=3)
