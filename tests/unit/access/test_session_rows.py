"""The rows of sessions as operators see them, over stores in memory."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.access.clients import Client
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.usage import Served
from chalicelib.domain.operations.fetches import Fetches, RecentFetches
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.services.access.session_rows import SessionRow
from tests.fakes.simple import Switch
from tests.fakes.stores import memory_services

CLIENT = Client(ip="192.0.2.1", user_agent="mpv")


@pytest.fixture
def services() -> Any:
    services: Any = memory_services(TOLLCAST_START_LIMIT="")
    services.delivery = Switch()
    ingest = Ingest(mode=IngestMode.TEST)
    services.streams.create(Stream(stream_id="news", title="The news", ingest=ingest))
    services.streams.set_state("news", DesiredState.LIVE)
    return services


def watch(services: Any, email: str = "a@local") -> str:
    user = services.accounts.create(email, "a password", Role.VIEWER)
    payment = {"millipoints": 100_000, "payment_id": email, "note": "", "by_user_id": "u_x"}
    services.ledger.credit(user_id=user.user_id, **payment)
    opened = services.playback.start(user.user_id, "news", client=CLIENT, replace=False, max_points=None)
    return str(opened.session.session_id)


def row_of(services: Any, session_id: str) -> SessionRow:
    [row] = services.session_rows.of([services.stores.sessions.get(session_id)])
    assert isinstance(row, SessionRow)
    return row


def serve(services: Any, session_id: str, fetches: Fetches | None = None, batch: int = 1) -> None:
    served = Served(media_ms=6_000, media_bytes=9_000, segments=3, requests=4)
    now_ms = services.stores.clock.now_ms()
    services.stores.usage.add(session_id, served, follower="one", batch=batch, now_ms=now_ms, fetches=fetches)


def test_an_active_session_is_shown_with_all_that_is_known(services: Any) -> None:
    session_id, clock = watch(services), services.stores.clock
    row = row_of(services, session_id)
    assert (row.email, row.stream_title, row.client) == ("a@local", "The news", CLIENT)
    assert (row.balance_millipoints, row.seconds_left) == (90_000, 100)
    assert (row.recent, row.media_ms, row.cut_off_measured) == (RecentFetches(), None, None)
    clock.advance(30_000)
    serve(services, session_id, Fetches().plus(clock.at_ms - 9_000, 9_000, "720p"))
    services.stores.usage.mark("one", clock.at_ms - 5_000, reported_at_ms=clock.at_ms, watching=1)
    row = row_of(services, session_id)
    assert (row.recent.rendition, row.recent.bytes_last_minute, row.recent.is_fetching) == ("720p", 9_000, True)
    assert row.media_ms == 6_000 and services.monitoring.metrics().watching_sessions == 1
    clock.advance(30_000)
    services.stores.usage.mark("one", clock.at_ms - 5_000, reported_at_ms=clock.at_ms, watching=0)
    assert row_of(services, session_id).recent.is_fetching is False
    assert services.monitoring.metrics().watching_sessions == 0


def test_an_ended_session_says_how_long_it_was_served_once_that_is_measured(services: Any) -> None:
    session_id = watch(services)
    services.kicks.kick(session_id, message="Bye.")
    row = row_of(services, session_id)
    assert (row.session, row.balance_millipoints, row.recent) == (None, None, RecentFetches())
    assert (row.record.message, row.media_ms, row.cut_off_ms, row.cut_off_measured) == ("Bye.", None, None, False)
    serve(services, session_id)
    services.stores.reconciliations.measured_ms[session_id] = 0
    row = row_of(services, session_id)
    assert (row.media_ms, row.cut_off_ms, row.cut_off_measured) == (6_000, 0, True)


def test_a_viewers_own_stop_has_no_cut_off(services: Any) -> None:
    session_id = watch(services)
    record = services.stores.sessions.get(session_id)
    services.playback.stop(record.user_id, session_id)
    row = row_of(services, session_id)
    assert row.record.end_reason is EndReason.VIEWER_STOPPED and row.cut_off_measured is None
    settled = replace(row.record, settled_ms=0)
    assert services.session_rows.of([settled])[0].media_ms == 0, "it was settled, and nothing was served"


def test_rows_keep_their_order_and_an_erased_viewer_has_no_email(services: Any) -> None:
    ids = [watch(services, f"{name}@local") for name in "cab"]
    records = [services.stores.sessions.get(each) for each in ids]
    services.accounts.change(records[0].user_id, disabled=True)
    services.erasure.erase(records[0].user_id)
    rows = services.session_rows.of([services.stores.sessions.get(each) for each in ids])
    assert [(row.record.session_id, row.email) for row in rows] == list(
        zip(ids, (None, "a@local", "b@local"), strict=True)
    )
    assert services.session_rows.of([]) == []
