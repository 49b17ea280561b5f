"""The scheduled functions over real tables: the reaper, the controller, and the catch-up of ledger pages."""

import dataclasses

import pytest

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.lease import LATE_MS_MAX
from chalicelib.domain.sessions import EndReason
from chalicelib.domain.streams import DesiredState, Ingest, IngestMode, Runtime, RuntimeState, Stream
from chalicelib.domain.users import Role
from chalicelib.domain.wallets import Payment
from tests.fakes.simple import SetClock

STREAM_ID = "stream-1"


@pytest.fixture
def house(settings: Settings) -> Container:
    """Services whose clock is set, with a live stream."""
    container = Container(settings)
    container.clock = SetClock()  # type: ignore[misc]
    container.streams.create(Stream(stream_id=STREAM_ID, title="x", ingest=Ingest(mode=IngestMode.TEST)))
    container.streams.set_state(STREAM_ID, DesiredState.LIVE)
    report(container, RuntimeState.LIVE)
    return container


def report(house: Container, state: RuntimeState) -> None:
    now_ms = house.clock.now_ms()
    claim = house.runtimes.claim(STREAM_ID, "worker-1", now_ms, now_ms + 3_600_000)
    assert claim is not None
    generation = house.streams.get(STREAM_ID).generation
    runtime = Runtime(stream_id=STREAM_ID, state=state, claim=claim, generation=generation)
    assert house.runtimes.report(claim, runtime)


def watching(house: Container) -> tuple[str, str]:
    user = house.accounts.create(f"{new_session_id()}@local", "a password", Role.VIEWER)
    house.ledger.credit(
        user_id=user.user_id, millipoints=100_000, payment_id=new_session_id(), note="", by_user_id="u_x"
    )
    beat = house.playback.start(user.user_id, STREAM_ID, ip="", user_agent="", replace=False, max_points=None)
    return user.user_id, beat.session.session_id


def advance(house: Container, ms: int) -> None:
    assert isinstance(house.clock, SetClock)
    house.clock.advance(ms)


def test_the_reaper_ends_what_lapsed_and_rearms_what_beats(house: Container) -> None:
    viewers = [watching(house) for _ in range(20)]
    assert house.sessions.count_active() == 20
    advance(house, LATE_MS_MAX)
    for user_id, session_id in viewers[:5]:
        house.billing.heartbeat(user_id, session_id, 2)
    assert house.playback.reap() == 0
    advance(house, 10_001)
    assert house.playback.reap() == 0, "rows were re-armed, so nobody looks again before their time"
    advance(house, 120_000)
    assert house.playback.reap() == 15
    for user_id, session_id in viewers[5:]:
        record = house.sessions.get(session_id)
        assert record is not None
        assert record.end_reason is EndReason.LEASE_EXPIRED
        assert house.ledger.wallet(user_id).balance_millipoints == 90_000
    assert house.sessions.count_active() == 5
    assert house.playback.reap() == 0


def test_the_controller_ends_sessions_that_a_change_has_missed(house: Container) -> None:
    user_id, session_id = watching(house)
    stream = house.streams.get(STREAM_ID)
    # The change is written, and the process that made it dies before it acts on it.
    house.stream_table.replace(
        stream, dataclasses.replace(stream, desired_state=DesiredState.PAUSED, version=stream.version + 1)
    )
    advance(house, 2_000)
    assert house.controller.tick() == 1
    record = house.sessions.get(session_id)
    assert record is not None
    assert record.end_reason is EndReason.STREAM_PAUSED
    assert house.ledger.wallet(user_id).balance_millipoints == 98_000


def test_the_controller_says_that_a_worker_is_lost_and_asks_for_another(house: Container) -> None:
    assert house.controller.tick() == 0
    while hints := house.queue.receive(0):
        for hint in hints:
            house.queue.done(hint)
    advance(house, 3_600_001)
    assert house.controller.tick() == 1
    runtime = house.runtimes.get(STREAM_ID)
    assert runtime is not None
    assert runtime.state is RuntimeState.BACKOFF
    assert runtime.last_error == "no worker holds this stream; waiting for one"
    assert [hint.stream_id for hint in house.queue.receive(1)] == [STREAM_ID]
    assert house.streams.view(STREAM_ID).state is RuntimeState.BACKOFF


def test_pages_that_no_beat_moved_are_caught_up(house: Container) -> None:
    user = house.accounts.create(f"{new_session_id()}@local", "a password", Role.VIEWER)
    for n in range(8):
        # Straight into the wallet: as if each process had died before it moved a page.
        house.wallets.pay(
            Payment(payment_id=f"p{n}", user_id=user.user_id, millipoints=10, note="", by_user_id="u_x", at_ms=n)
        )
    assert len(house.ledger.wallet(user.user_id).journal) == 8
    assert house.ledger.catch_up() == 1
    assert [entry.version for entry in house.ledger.wallet(user.user_id).journal] == [7, 8]
    versions = [entry.version for entry in house.ledger.entries(user.user_id, limit=50, cursor=None).items]
    assert versions == list(range(8, 0, -1))
    assert house.ledger.catch_up() == 0
