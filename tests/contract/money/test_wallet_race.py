"""Many writers on one wallet, against a real store: the result is exact, every time."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.config import Settings
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import SessionOver
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.lease import Outcome
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.stores import Stores
from tests.contract.money.billing_services import LEASE_MS, Playback, Services

THREADS = 32
CHARGE = 10_000


@pytest.fixture(scope="module")
def race(module_settings: Settings) -> Services:
    """Billing with a clock that is set, so that whole hours of watching race in a second."""
    return Services(Stores(module_settings), sessions_per_user_max=8)


def eight_sessions(race: Services, millipoints: int) -> list[Playback]:
    first = race.watching(millipoints)
    return [first, *(Playback(race, first.user_id, race.open(first.user_id).session.session_id) for _ in range(7))]


def check_ledger(race: Services, user_id: str) -> int:
    """The balance, after holding it against every entry of the ledger."""
    balance = race.balance(user_id)
    assert race.ledger_sum(user_id, page_entries=200) == balance >= 0
    return balance


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


def outcomes(results: list[object]) -> Counter[Outcome]:
    return Counter(beat.outcome for beat in results)  # type: ignore[attr-defined]


def test_the_same_beat_from_32_threads_is_charged_once(race: Services) -> None:
    playback = race.watching(1_000_000)
    for seq in range(2, 7):
        race.clock.advance(LEASE_MS)
        beats = all_at_once([lambda seq=seq: playback.beat(seq)] * THREADS)
        assert outcomes(beats) == {Outcome.ON_TIME: 1, Outcome.REPLAY: THREADS - 1}
        assert check_ledger(race, playback.user_id) == 1_000_000 - seq * CHARGE


def test_different_beats_from_32_threads_sell_one_lease_a_window(race: Services) -> None:
    playback = race.watching(1_000_000)
    race.clock.advance(LEASE_MS)
    found = outcomes(all_at_once([lambda seq=seq: playback.beat(seq) for seq in range(2, 2 + THREADS)]))
    assert found[Outcome.ON_TIME] == 1
    assert set(found) <= {Outcome.ON_TIME, Outcome.EARLY, Outcome.STALE, Outcome.REPLAY}
    assert check_ledger(race, playback.user_id) == 1_000_000 - 2 * CHARGE


def test_eight_sessions_beat_at_once_and_each_is_charged(race: Services) -> None:
    viewings = eight_sessions(race, 2_000_000)
    for seq in range(2, 8):
        race.clock.advance(LEASE_MS)
        beats = all_at_once([lambda each=each, seq=seq: each.beat(seq) for each in viewings * 4])
        assert outcomes(beats) == {Outcome.ON_TIME: 8, Outcome.REPLAY: 24}
        assert check_ledger(race, viewings[0].user_id) == 2_000_000 - 8 * CHARGE * seq


def test_the_last_points_are_sold_once(race: Services) -> None:
    viewings = eight_sessions(race, 8 * CHARGE + 25_000)
    race.clock.advance(LEASE_MS)
    results = all_at_once([lambda each=each: each.beat(2) for each in viewings * 4])
    sold = [each for each in results if getattr(each, "outcome", None) in (Outcome.ON_TIME, Outcome.POOR)]
    assert sum(each.charged_millipoints for each in sold) == 25_000  # type: ignore[attr-defined]
    ended = [each for each in results if isinstance(each, SessionOver)]
    assert {each.reason for each in ended} == {EndReason.BALANCE_EXHAUSTED}
    assert check_ledger(race, viewings[0].user_id) == 0


def test_stop_kick_and_beats_at_once_end_with_one_refund(race: Services) -> None:
    for _ in range(5):
        playback = race.watching(1_000_000)
        race.clock.advance(6_000)
        ends = [lambda each=playback: each.end()] * 8 + [lambda each=playback: each.end(EndReason.KICKED)] * 8
        results = all_at_once([*ends, *[lambda each=playback: each.beat(2)] * 16])
        [record] = {each for each in results if isinstance(each, SessionRecord)}
        assert 1_000_000 - check_ledger(race, playback.user_id) == record.charged_millipoints == 6_000


def test_a_payment_id_counts_once_from_32_threads(race: Services) -> None:
    user_id, payment_id = race.viewer(1_000), new_session_id()
    results = all_at_once([lambda: race.credit(user_id, 500, payment_id)] * THREADS)
    assert not [each for each in results if isinstance(each, Exception)]
    assert check_ledger(race, user_id) == 1_500


def test_the_limit_of_sessions_holds_when_all_start_at_once(race: Services) -> None:
    user_id = race.viewer(1_000_000)
    all_at_once([lambda: race.open(user_id)] * THREADS)
    assert len(race.ledger.wallet(user_id).sessions) == 8
    assert check_ledger(race, user_id) == 1_000_000 - 8 * CHARGE
