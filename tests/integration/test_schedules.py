"""The scheduled functions over real tables: the reaper, the controller, and the catch-up of ledger pages."""

import dataclasses

import pytest

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.access.clients import Client
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import StreamNotLive
from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lease import LATE_MS_MAX
from chalicelib.domain.money.wallets import Payment
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access import reaper
from chalicelib.services.money.billing import Beat
from chalicelib.services.streams import controller
from tests.fakes.access.denylist import FakeDenylist
from tests.fakes.accounts.identity import CountingPasswords
from tests.fakes.simple import SetClock

STREAM_ID = "stream-1"


@pytest.fixture
def services(settings: Settings) -> Container:
    """Return services with a clock that tests set, and a live stream."""
    container = Container(settings)
    container.stores.clock, container.stores.passwords = SetClock(), CountingPasswords()  # type: ignore[misc]
    container.streams.create(Stream(stream_id=STREAM_ID, title="x", ingest=Ingest(mode=IngestMode.TEST)))
    container.streams.set_state(STREAM_ID, DesiredState.LIVE)
    report(container, RuntimeState.LIVE)
    return container


def report(services: Container, state: RuntimeState) -> None:
    now_ms = services.stores.clock.now_ms()
    claim = services.stores.runtimes.claim(STREAM_ID, "worker-1", now_ms, now_ms + 3_600_000)
    assert claim is not None
    generation = services.streams.get(STREAM_ID).generation
    runtime = Runtime(stream_id=STREAM_ID, state=state, claim=claim, generation=generation)
    assert services.stores.runtimes.report(claim, runtime)


def watching(services: Container) -> tuple[str, str]:
    user_id = a_viewer(services)
    return user_id, start(services, user_id).session.session_id


def a_viewer(services: Container) -> str:
    user_id = services.accounts.create(f"{new_session_id()}@local", "a password", Role.VIEWER).user_id
    payment = {"payment_id": new_session_id(), "note": "", "by_user_id": "u_x"}
    services.ledger.credit(user_id=user_id, millipoints=100_000, **payment)
    return user_id


def start(services: Container, user_id: str) -> Beat:
    return services.playback.start(user_id, STREAM_ID, client=Client(ip=""), replace=False, max_points=None)


def ended(services: Container, session_id: str) -> EndReason | None:
    record = services.stores.sessions.get(session_id)
    assert record is not None
    return record.end_reason


def balance(services: Container, user_id: str) -> int:
    return services.ledger.wallet(user_id).balance_millipoints


def advance(services: Container, ms: int) -> None:
    assert isinstance(services.stores.clock, SetClock)
    services.stores.clock.advance(ms)


def test_the_reaper_misses_nothing_after_it_has_been_away(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "REAP_AT_ONCE", 2)
    viewers = [watching(services) for _ in range(7)]
    advance(services, 86_400_000)
    assert services.reaper.reap() == 7
    assert services.stores.sessions.count_active() == 0
    assert {services.ledger.wallet(user_id).sessions.get(session_id) for user_id, session_id in viewers} == {None}


def test_the_reaper_ends_what_lapsed_and_rearms_what_beats(services: Container) -> None:
    viewers = [watching(services) for _ in range(6)]
    assert services.stores.sessions.count_active() == 6
    advance(services, LATE_MS_MAX)
    for user_id, session_id in viewers[:2]:
        services.billing.heartbeat(user_id, session_id, 2)
    assert services.reaper.reap() == 0
    advance(services, 10_001)
    assert services.reaper.reap() == 0, "rows were re-armed, so they are not due before their time"
    advance(services, 120_000)
    assert services.reaper.reap() == 4
    for user_id, session_id in viewers[2:]:
        assert (ended(services, session_id), balance(services, user_id)) == (EndReason.LEASE_EXPIRED, 90_000)
    assert services.stores.sessions.count_active() == 2
    assert services.reaper.reap() == 0


def test_the_controller_ends_sessions_that_a_change_has_missed(services: Container) -> None:
    user_id, session_id = watching(services)
    advance(services, 2_000)
    # The change is written, and the process that made it dies before it acts on it.
    set_in_table(services, DesiredState.PAUSED)
    advance(services, 3_000)
    assert services.controller.tick() == 1
    assert (ended(services, session_id), balance(services, user_id)) == (EndReason.STREAM_PAUSED, 98_000)


def set_in_table(services: Container, desired: DesiredState) -> None:
    stream = services.streams.get(STREAM_ID)
    changes = {"desired_since_ms": services.stores.clock.now_ms(), "version": stream.version + 1}
    services.stores.streams.replace(stream, dataclasses.replace(stream, desired_state=desired, **changes))


def test_the_controller_says_that_a_worker_is_lost_and_asks_for_another(services: Container) -> None:
    assert services.controller.tick() == 0
    while hints := services.stores.queue.receive(0):
        for hint in hints:
            services.stores.queue.done(hint)
    advance(services, 3_600_001)
    assert services.controller.tick() == 1
    runtime = services.stores.runtimes.get(STREAM_ID)
    assert runtime and (runtime.state, runtime.last_error) == (RuntimeState.BACKOFF, "no worker is running")
    assert [hint.stream_id for hint in services.stores.queue.receive(1)] == [STREAM_ID]
    assert services.streams.view(STREAM_ID).state is RuntimeState.BACKOFF


def test_pages_that_no_beat_moved_are_caught_up(services: Container) -> None:
    user_id = services.accounts.create(f"{new_session_id()}@local", "a password", Role.VIEWER).user_id
    first = Payment(payment_id="", user_id=user_id, millipoints=10, note="", by_user_id="u_x", at_ms=0)
    for n in range(8):
        # Straight into the wallet: as if each process had died before it moved a page.
        services.stores.wallets.pay(dataclasses.replace(first, payment_id=f"p{n}", at_ms=n))
    assert len(services.ledger.wallet(user_id).journal) == 8
    assert services.ledger.catch_up() == 1
    assert [entry.version for entry in services.ledger.wallet(user_id).journal] == [7, 8]
    versions = [entry.version for entry in services.ledger.entries(user_id, limit=50, cursor=None).items]
    assert versions == list(range(8, 0, -1))
    assert services.ledger.catch_up() == 0


def test_all_viewers_of_a_paused_stream_pay_to_the_pause_however_many(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "SESSIONS_AT_ONCE_MAX", 4)
    monkeypatch.setattr(controller, "SESSIONS_PER_PAGE", 2)
    viewers = [watching(services) for _ in range(9)]
    advance(services, 1_000)
    services.streams.set_state(STREAM_ID, DesiredState.PAUSED)
    assert services.stores.sessions.count_active() == 5
    while services.stores.sessions.count_active():
        advance(services, 60_000)
        services.controller.tick()
    assert {balance(services, user_id) for user_id, _ in viewers} == {99_000}


def test_a_start_that_meets_a_pause_costs_nothing(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    user_id, original = a_viewer(services), services.session_opener.open

    def paused_meanwhile(*args: object) -> object:
        services.streams.set_state(STREAM_ID, DesiredState.PAUSED)
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(services.session_opener, "open", paused_meanwhile)
    with pytest.raises(StreamNotLive):
        start(services, user_id)
    wallet = services.ledger.wallet(user_id)
    assert (wallet.balance_millipoints, dict(wallet.sessions)) == (100_000, {})


def test_the_schedule_mends_a_denylist_that_a_crash_left_wrong(services: Container) -> None:
    denylist = FakeDenylist()
    services.controller._denylist = denylist
    denylist.deny_stream(STREAM_ID, EndReason.STREAM_PAUSED)
    services.controller.tick()
    assert denylist.streams == {}
    set_in_table(services, DesiredState.STOPPED)
    services.controller.tick()
    assert denylist.streams == {STREAM_ID: EndReason.STREAM_STOPPED}


def test_a_start_that_cannot_be_read_back_is_no_failure(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    user_id, original = a_viewer(services), services.stores.wallets.start

    def unread(*args: object) -> None:
        original(*args)  # type: ignore[arg-type]
        monkeypatch.setattr(services.stores.wallets, "get", unavailable)
        monkeypatch.setattr(services.stores.streams, "get", unavailable)

    def unavailable(_: str) -> None:
        raise StoreUnavailable("injected")

    monkeypatch.setattr(services.stores.wallets, "start", unread)
    assert start(services, user_id).wallet.balance_millipoints == 90_000


def test_a_listing_reads_more_wallets_than_one_batch_holds(services: Container) -> None:
    users = [new_user_id() for _ in range(130)]
    for user_id in users:
        services.stores.wallets.create(user_id)
    assert set(services.stores.wallets.get_many(users)) == set(users)
