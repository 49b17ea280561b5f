"""Many writers on one wallet, against a real store: the result is exact, every time."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import SessionOver
from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lease import Outcome
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.services.money.billing import Billing
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.session_opener import SessionOpener
from tests.fakes.simple import MemoryCounters, RecordingDenylist, SetClock, Switch

THREADS = 32
LEASE_MS = 10_000
CHARGE = 10_000


class RaceTrack:
    """Billing on the emulator with a clock that is set, so that whole hours of watching race in a second."""

    def __init__(self, settings: Settings) -> None:
        container = Container(settings)
        self.clock = SetClock()
        self.wallets = container.stores.wallets
        payments, ledger = container.ledger._payments, container.ledger._ledger
        self.ledger = LedgerService(self.wallets, ledger, payments, self.clock)
        self.sessions = container.stores.sessions
        self.billing = Billing(
            wallets=self.wallets,
            sessions=self.sessions,
            ledger=self.ledger,
            delivery=Switch(),  # type: ignore[arg-type]
            denylist=RecordingDenylist(),
            counters=MemoryCounters(),
            clock=self.clock,
        )
        self.session_opener = SessionOpener(
            wallets=self.wallets,
            sessions=self.sessions,
            ledger=self.ledger,
            billing=self.billing,
            delivery=Switch(),  # type: ignore[arg-type]
            counters=MemoryCounters(),
            clock=self.clock,
            sessions_per_user_max=8,
        )

    def viewer(self, millipoints: int) -> str:
        user_id = new_user_id()
        self.wallets.create(user_id)
        self.ledger.credit(
            user_id=user_id, millipoints=millipoints, payment_id=new_session_id(), note="", by_user_id="u_admin"
        )
        return user_id

    def open(self, user_id: str) -> str:
        record = SessionRecord(
            session_id=new_session_id(),
            user_id=user_id,
            stream_id="stream-1",
            kind=SessionKind.VIEWING,
            started_at_ms=self.clock.now_ms(),
            rate_millipoints_per_minute=60_000,
            lease_ms=LEASE_MS,
            due_shard=0,
            due_ms=0,
        )
        return self.session_opener.open(user_id, record, 10**12).session.session_id

    def check_ledger(self, user_id: str) -> int:
        """The balance, after holding it against every entry of the ledger."""
        wallet = self.ledger.wallet(user_id)
        entries, cursor = [], None
        while True:
            page = self.ledger.entries(user_id, limit=200, cursor=cursor)
            entries += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert [entry.version for entry in entries] == list(range(wallet.version, 0, -1))
        assert max(Counter(entry.entry_id for entry in entries).values()) == 1
        assert sum(entry.delta_millipoints for entry in entries) == wallet.balance_millipoints >= 0
        return wallet.balance_millipoints


@pytest.fixture(scope="module")
def track(module_settings: Settings) -> RaceTrack:
    return RaceTrack(module_settings)


def all_at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run all at the same moment in separate threads. Return results and exceptions in order."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        barrier.wait(timeout=30)
        try:
            return work()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works, timeout=120))


def test_the_same_beat_from_32_threads_is_charged_once(track: RaceTrack) -> None:
    user_id = track.viewer(1_000_000)
    session_id = track.open(user_id)
    for seq in range(2, 7):
        track.clock.advance(LEASE_MS)
        beats = all_at_once([lambda seq=seq: track.billing.heartbeat(user_id, session_id, seq)] * THREADS)
        outcomes = Counter(beat.outcome for beat in beats)  # type: ignore[attr-defined]
        assert outcomes == {Outcome.ON_TIME: 1, Outcome.REPLAY: THREADS - 1}
        assert track.check_ledger(user_id) == 1_000_000 - seq * CHARGE


def test_different_beats_from_32_threads_sell_one_lease_a_window(track: RaceTrack) -> None:
    user_id = track.viewer(1_000_000)
    session_id = track.open(user_id)
    track.clock.advance(LEASE_MS)
    works = [lambda seq=seq: track.billing.heartbeat(user_id, session_id, seq) for seq in range(2, 2 + THREADS)]
    beats = all_at_once(works)
    outcomes = Counter(beat.outcome for beat in beats)  # type: ignore[attr-defined]
    assert outcomes[Outcome.ON_TIME] == 1
    assert set(outcomes) <= {Outcome.ON_TIME, Outcome.EARLY, Outcome.STALE, Outcome.REPLAY}
    assert track.check_ledger(user_id) == 1_000_000 - 2 * CHARGE


def test_eight_sessions_beat_at_once_and_each_is_charged(track: RaceTrack) -> None:
    user_id = track.viewer(2_000_000)
    session_ids = [track.open(user_id) for _ in range(8)]
    for seq in range(2, 8):
        track.clock.advance(LEASE_MS)
        works = [lambda sid=sid, seq=seq: track.billing.heartbeat(user_id, sid, seq) for sid in session_ids * 4]
        beats = all_at_once(works)
        assert Counter(beat.outcome for beat in beats) == {Outcome.ON_TIME: 8, Outcome.REPLAY: 24}  # type: ignore[attr-defined]
        assert track.check_ledger(user_id) == 2_000_000 - 8 * CHARGE * seq


def test_the_last_points_are_sold_once(track: RaceTrack) -> None:
    user_id = track.viewer(8 * CHARGE + 25_000)
    session_ids = [track.open(user_id) for _ in range(8)]
    track.clock.advance(LEASE_MS)
    works = [lambda sid=sid: track.billing.heartbeat(user_id, sid, 2) for sid in session_ids * 4]
    results = all_at_once(works)
    sold = [each for each in results if getattr(each, "outcome", None) in (Outcome.ON_TIME, Outcome.POOR)]
    assert sum(each.charged_millipoints for each in sold) == 25_000  # type: ignore[attr-defined]
    ended = [each for each in results if isinstance(each, SessionOver)]
    assert {each.reason for each in ended} == {EndReason.BALANCE_EXHAUSTED}
    assert track.check_ledger(user_id) == 0


def test_stop_kick_and_beats_at_once_end_with_one_refund(track: RaceTrack) -> None:
    for _ in range(5):
        user_id = track.viewer(1_000_000)
        session_id = track.open(user_id)
        track.clock.advance(6_000)
        ends = [partial(track.billing.end, user_id, session_id, EndReason.VIEWER_STOPPED)] * 8
        kicks = [partial(track.billing.end, user_id, session_id, EndReason.KICKED)] * 8
        beats = [partial(track.billing.heartbeat, user_id, session_id, 2)] * 16
        results = all_at_once([*ends, *kicks, *beats])
        records = {each for each in results if isinstance(each, SessionRecord)}
        assert len(records) == 1
        [record] = records
        balance = track.check_ledger(user_id)
        assert 1_000_000 - balance == record.charged_millipoints == 6_000


def test_a_payment_id_counts_once_from_32_threads(track: RaceTrack) -> None:
    user_id = track.viewer(1_000)
    payment_id = new_session_id()

    def pay() -> object:
        return track.ledger.credit(
            user_id=user_id, millipoints=500, payment_id=payment_id, note="", by_user_id="u_admin"
        )

    results = all_at_once([pay] * THREADS)
    assert not [each for each in results if isinstance(each, Exception)]
    assert track.check_ledger(user_id) == 1_500


def test_the_limit_of_sessions_holds_when_all_start_at_once(track: RaceTrack) -> None:
    user_id = track.viewer(1_000_000)
    all_at_once([lambda: track.open(user_id)] * THREADS)
    wallet = track.ledger.wallet(user_id)
    assert len(wallet.sessions) == 8
    assert track.check_ledger(user_id) == 1_000_000 - 8 * CHARGE
