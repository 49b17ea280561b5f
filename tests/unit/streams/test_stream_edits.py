"""Operators' changes of streams: what they do to a running stream, and that they are audited."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.errors import Busy, Invalid, StreamNotFound
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.operations.audit import Actor
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.pacing import Latency
from chalicelib.domain.streams.runtime import SLATE, Runtime, RuntimeState, source_name
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream
from chalicelib.domain.streams.stream_edits import RESTART_FIELDS, Applies
from chalicelib.ports.common import RowRefused, StoreUnavailable
from chalicelib.services.streams import streams as service
from tests.fakes.money.sessions import session_record
from tests.fakes.stores import memory_services

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


def services_of(**environ: str) -> Container:
    """Return the services over stores in memory, with one stream."""
    services = memory_services(**environ)
    services.stores.streams.add(LIVE)
    return services


@pytest.fixture
def services() -> Container:
    return services_of(TOLLCAST_DENYLIST_DIR="/denylist")


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
def test_each_setting_applies_as_it_says(services: Container, changes: dict[str, Any], does: Applies) -> None:
    planned = services.streams.edit("stream-1", changes, dry_run=True)
    assert (planned.applies, planned.viewers, planned.view.stream) == (does, 0, LIVE)
    assert services.stores.streams.get("stream-1") == LIVE
    done = services.streams.edit("stream-1", changes)
    assert (done.applies, done.viewers) == (does, 0)
    expected = replace(LIVE, **changes, generation=1 + (does is RESTART), version=1 + (does is not NONE))
    assert services.stores.streams.get("stream-1") == done.view.stream == expected


def test_no_field_is_forgotten() -> None:
    # A new setting must be put on one side or the other.
    hot = {"title", "rate_millipoints_per_minute", "lease_ms", "window_minutes", "viewers_max", "latency", "slate"}
    hot |= {"session_binding"}
    own = {
        "stream_id",
        "desired_state",
        "desired_since_ms",
        "generation",
        "version",
        "archived",
        "created_at_ms",
        "changes",
    }
    assert hot | own | RESTART_FIELDS == set(Stream.__dataclass_fields__)


@pytest.mark.parametrize(("source", "does"), [(SLATE, RESTART), (source_name(0), HOT)])
def test_a_slate_that_is_played_ends_by_a_restart(services: Container, source: str, does: Applies) -> None:
    claim = services.stores.runtimes.claim("stream-1", "w1", 0, 10**15)
    played = Runtime(stream_id="stream-1", state=RuntimeState.LIVE, source=source)
    assert claim and services.stores.runtimes.report(claim, played)
    assert services.streams.edit("stream-1", {"slate": False}).applies is does
    stored = services.stores.streams.get("stream-1")
    assert stored and stored.generation == 1 + (does is RESTART)


def test_a_restart_meets_those_who_watch(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    for record in (session_record(1, session_id=new_session_id()) for _ in range(3)):
        services.stores.rows.records[record.session_id] = record
    assert services.streams.edit("stream-1", {"segment_seconds": 2}).viewers == 3
    assert services.streams.edit("stream-1", {"title": "hot"}).viewers == 0
    monkeypatch.setattr(service, "VIEWERS_PER_PAGE", 1)
    monkeypatch.setattr(service, "VIEWERS_COUNTED_MAX", 2)
    assert services.streams.edit("stream-1", {"segment_seconds": 3}).viewers == 2


def test_what_is_not_live_has_nothing_to_restart(services: Container) -> None:
    services.stores.streams.replace(LIVE, replace(LIVE, desired_state=DesiredState.PAUSED))
    assert services.streams.edit("stream-1", {"segment_seconds": 2}).applies is HOT
    stored = services.stores.streams.get("stream-1")
    assert stored and stored.generation == 2


def test_a_stream_is_created_though_another_write_was_in_the_way(services: Container) -> None:
    add, refused = services.stores.streams.add, iter([True, False, *[True] * service.TRIES_MAX])

    def in_the_way(stream: Stream) -> None:
        if next(refused):
            raise RowRefused
        add(stream)

    services.stores.streams.add = in_the_way  # type: ignore[method-assign]
    assert services.streams.create(replace(LIVE, stream_id="stream-2")).stream_id == "stream-2"
    with pytest.raises(Busy):
        services.streams.create(replace(LIVE, stream_id="stream-3"))
    assert services.stores.streams.get("stream-2") and services.stores.streams.get("stream-3") is None


def test_a_dry_run_is_refused_what_a_change_would_be(services: Container) -> None:
    with pytest.raises(Invalid, match="low latency needs segment_seconds 1"):
        services.streams.edit("stream-1", {"latency": Latency.LOW, "segment_seconds": 2}, dry_run=True)
    with pytest.raises(StreamNotFound):
        services.streams.edit("stream-2", {"title": "x"}, dry_run=True)


def test_a_window_that_is_too_long_is_refused_but_never_in_the_way_of_another_change(services: Container) -> None:
    with pytest.raises(Invalid, match=r"segment_seconds 1 .* allowed: window_minutes up to 260"):
        services.streams.edit("stream-1", {"window_minutes": 720})
    with pytest.raises(Invalid, match="segment_seconds 3 and more"):
        services.streams.create(replace(LIVE, stream_id="stream-2", window_minutes=720))
    # From before there was a bound.
    old = replace(LIVE, window_minutes=720, version=2)
    services.stores.streams.replace(LIVE, old)
    assert services.streams.edit("stream-1", {"title": "x"}).applies is HOT
    with pytest.raises(Invalid, match="window_minutes 720 with segment_seconds 2"):
        services.streams.edit("stream-1", {"segment_seconds": 2})
    assert services.streams.edit("stream-1", {"segment_seconds": 3}).applies is RESTART


def test_a_binding_that_no_gateway_would_hold_is_refused() -> None:
    blind = services_of()
    for binding in (SessionBinding.WARN, SessionBinding.ENFORCE):
        with pytest.raises(Invalid, match=r"session_binding: .* allowed: `off`"):
            blind.streams.edit("stream-1", {"session_binding": binding}, dry_run=True)
        with pytest.raises(Invalid, match="allowed: `off`"):
            blind.streams.create(replace(LIVE, stream_id="stream-2", session_binding=binding))
    # A policy from another gateway blocks neither other changes nor its removal.
    bound = replace(LIVE, session_binding=SessionBinding.WARN, version=2)
    blind.stores.streams.replace(LIVE, bound)
    assert blind.streams.edit("stream-1", {"title": "x"}).applies is HOT
    assert blind.streams.edit("stream-1", {"session_binding": SessionBinding.OFF}).applies is HOT


@pytest.mark.parametrize(("silent", "name"), [("sessions", "active"), ("runtimes", "get")])
def test_an_edit_that_cannot_be_answered_has_not_happened(
    services: Container, silent: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(getattr(services.stores, silent), name, unavailable)
    with pytest.raises(StoreUnavailable):
        services.streams.edit("stream-1", {"segment_seconds": 2})
    assert services.stores.streams.get("stream-1") == LIVE


def test_an_edit_holds_against_what_others_change_meanwhile(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = services.stores.streams.replace

    def overtaken(seen: Stream, new: Stream) -> None:
        monkeypatch.undo()
        replaced(seen, replace(seen, title="theirs"))
        replaced(seen, new)

    monkeypatch.setattr(services.stores.streams, "replace", overtaken)
    edit = services.streams.edit("stream-1", {"segment_seconds": 2})
    stored = services.stores.streams.get("stream-1")
    assert edit.view.stream == stored == replace(LIVE, title="theirs", segment_seconds=2, generation=2, version=3)


STOPS = {"desired_state": "live", "archived": False}, {"desired_state": "stopped", "archived": True}
COMMANDS = [
    ("stream.state", "set_state", [DesiredState.PAUSED], {"desired_state": "live"}, {"desired_state": "paused"}),
    ("stream.restart", "restart", [], {"generation": 1}, {"generation": 2}),
    ("stream.ingest-key", "rotate_ingest_key", [], {}, {}),
    ("stream.archive", "archive", [], *STOPS),
]


@pytest.mark.parametrize(("name", "command", "values", "before", "after"), COMMANDS)
def test_a_command_reads_its_stream_twice_and_is_audited(
    services: Container,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    command: str,
    values: list[DesiredState],
    before: object,
    after: object,
) -> None:
    streams, reads = services.stores.streams, []
    monkeypatch.setattr(streams, "get", lambda stream_id, get=streams.get: reads.append(stream_id) or get(stream_id))
    changed = getattr(services.streams, command)("stream-1", *values, by=Actor(user_id="u_operator"))
    assert len(reads) == 2
    assert streams.get("stream-1") == changed
    [entry] = services.stores.audit_log.entries
    action = entry.action
    assert (action.name, action.before, action.after, action.details) == (name, before, after, {})


def test_a_command_without_an_operator_is_not_audited(services: Container) -> None:
    services.streams.set_state("stream-1", DesiredState.PAUSED)
    assert services.stores.audit_log.entries == []
