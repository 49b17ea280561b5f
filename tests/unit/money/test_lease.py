"""The rules of one heartbeat, case by case as docs/billing.md lists them, and what must hold of all of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money import lease
from chalicelib.domain.money.lease import GRACE_MS, LATE_MS_MAX, Outcome, Over, Purchase, Unchanged
from chalicelib.domain.money.points import MILLIPOINTS_MAX, affordable_ms, lease_charge, refund
from chalicelib.domain.money.sessions import SessionKind
from chalicelib.domain.money.wallets import Wallet, utc_day
from tests.fakes.money.sessions import active_session

NOW = 1_800_000_000_000
PAID_UNTIL = NOW + 10_000
SESSION = active_session(NOW)
FREE = replace(SESSION, rate_millipoints_per_minute=0, charge_millipoints=0, charged_millipoints=0)
STALE, REPLAY, EARLY = Unchanged(Outcome.STALE), Unchanged(Outcome.REPLAY), Unchanged(Outcome.EARLY)
EXHAUSTED, EXPIRED = Over(EndReason.BALANCE_EXHAUSTED), Over(EndReason.LEASE_EXPIRED)


def holding(balance, *sessions):
    return Wallet(user_id="u", balance_millipoints=balance, sessions={each.session_id: each for each in sessions})


def beat(session=SESSION, at_ms=PAID_UNTIL, balance=50_000, seq=2, delivered=True, down_until_ms=0):
    return lease.decide(holding(balance), session, seq, at_ms, delivered=delivered, down_until_ms=down_until_ms)


def first_lease(balance, rate=60_000, lease_ms=10_000, budget=MILLIPOINTS_MAX):
    price = {"rate_millipoints_per_minute": rate, "lease_ms": lease_ms, "budget_millipoints": budget}
    return lease.first_purchase(holding(balance), **price, now_ms=NOW)


def test_a_charge_is_rounded_up_and_a_refund_is_rounded_down_and_bounded():
    expected = {(60_000, 10_000): 10_000, (1, 10_000): 1, (6, 10_000): 1, (7, 10_000): 2, (0, 60_000): 0}
    expected[1_000, 5_001] = 84
    assert {each: lease_charge(*each) for each in expected} == expected
    unused = ((60_000, 3_333), (1_000, 59_999), (60_000, 60_000), (60_000, -5))
    assert [refund(rate, unused_ms, 10_000) for rate, unused_ms in unused] == [3_333, 999, 10_000, 0]


def test_the_next_beat_is_due_half_a_lease_and_five_seconds_at_most_before_the_end():
    horizons = {5_000: 2_500, 5_001: 2_500, 10_000: 5_000, 60_000: 5_000}
    assert {ms: lease.horizon_ms(replace(SESSION, lease_ms=ms)) for ms in horizons} == horizons
    expected = {(50_000, 0): 5_250, (50_000, 7_000): 250, (50_000, 20_000): 250, (0, 0): 10_250}
    found = {(has, ms): lease.next_beat_in_ms(holding(has), SESSION, NOW + ms) for has, ms in expected}
    assert found == expected


def test_beats_that_sell_nothing():
    rich, expired = 50_000, LATE_MS_MAX + 1
    expected = {(1, 0, rich, True): REPLAY, (0, 0, rich, True): STALE, (1, expired, rich, True): REPLAY}
    expected |= {(2, -5_001, rich, True): EARLY, (2, -5_001, rich, False): EARLY, (2, -1, 0, True): EARLY}
    expected |= {(2, 0, 0, True): EXHAUSTED, (2, LATE_MS_MAX, 0, True): EXHAUSTED}
    expected |= {(2, expired, rich, True): EXPIRED, (2, expired, rich, False): EXPIRED}
    found = {each: beat(SESSION, PAID_UNTIL + each[1], each[2], each[0], each[3]) for each in expected}
    assert found == expected


@pytest.mark.parametrize(
    ("after_ms", "balance", "delivered", "outcome", "charge", "added_ms"),
    [
        *((-5_000, 50_000, True, "on_time", 10_000, 10_000), (0, 50_000, True, "on_time", 10_000, 10_000)),
        *((1, 50_000, True, "late", 10_000, 10_000), (GRACE_MS, 50_000, True, "late", 10_000, 10_000)),
        (GRACE_MS + 1, 50_000, True, "late", 10_000, GRACE_MS + 10_001),
        (LATE_MS_MAX, 50_000, True, "late", 10_000, LATE_MS_MAX + 10_000),
        *((-5_000, 9_999, True, "poor", 9_999, 9_999), (500, 1, True, "poor", 1, 1)),
        *((-5_000, 50_000, False, "unserved", 0, 10_000), (1, 50_000, False, "unserved", 0, 10_001)),
        (0, 0, False, "unserved", 0, 10_000),
    ],
)
def test_beats_that_grant_time(after_ms, balance, delivered, outcome, charge, added_ms):
    bought = beat(at_ms=PAID_UNTIL + after_ms, balance=balance, delivered=delivered)
    assert isinstance(bought, Purchase)
    assert (bought.outcome, bought.charge_millipoints, bought.paid_until_ms) == (outcome, charge, PAID_UNTIL + added_ms)


@pytest.mark.parametrize("delivered", [True, False])
def test_paid_time_is_continuous_up_to_the_end_of_the_grace(delivered):
    lapsed_at_ms = PAID_UNTIL + GRACE_MS + 1
    expected = {PAID_UNTIL - 1: NOW, PAID_UNTIL + GRACE_MS: NOW, lapsed_at_ms: lapsed_at_ms}
    assert {at_ms: beat(at_ms=at_ms, delivered=delivered).paid_from_ms for at_ms in expected} == expected


def test_the_time_of_an_outage_after_the_lease_is_not_sold():
    expected = {0: 10_000, 1: 12_000, 2_000: 12_000, 2_001: 10_000}
    beats = {ms: beat(at_ms=PAID_UNTIL + 2_000, down_until_ms=PAID_UNTIL + ms) for ms in expected}
    assert {ms: bought.paid_until_ms - PAID_UNTIL for ms, bought in beats.items()} == expected


def test_a_session_that_costs_one_millipoint_ends_with_an_empty_wallet():
    cheap = replace(SESSION, rate_millipoints_per_minute=1, charge_millipoints=1, charged_millipoints=1)
    assert beat(cheap, balance=0) == EXHAUSTED
    assert lease.next_beat_in_ms(holding(0), cheap, NOW) == 10_250


def test_a_spent_maximum_ends_with_its_own_reason():
    assert beat(replace(SESSION, budget_millipoints=0)) == Over(EndReason.MAX_POINTS_REACHED)
    rest = beat(replace(SESSION, budget_millipoints=4_000))
    assert isinstance(rest, Purchase)
    assert (rest.outcome, rest.charge_millipoints, rest.granted_ms) == (Outcome.POOR, 4_000, 4_000)


def test_a_spent_day_ends_with_its_own_reason():
    spent = replace(holding(50_000), day=utc_day(NOW), daily_left_millipoints=0)
    price = {"rate_millipoints_per_minute": 60_000, "lease_ms": 10_000, "budget_millipoints": MILLIPOINTS_MAX}
    for over in (
        lease.decide(spent, SESSION, 2, PAID_UNTIL, delivered=True),
        lease.first_purchase(spent, **price, now_ms=NOW),
    ):
        assert over == Over(EndReason.DAILY_CAP_REACHED)
    rest = lease.decide(replace(spent, daily_left_millipoints=4_000), SESSION, 2, PAID_UNTIL, delivered=True)
    assert (rest.outcome, rest.charge_millipoints, rest.granted_ms) == (Outcome.POOR, 4_000, 4_000)


def test_a_free_stream_is_watched_with_an_empty_wallet_and_a_preview_is_one_free_lease():
    preview = replace(FREE, kind=SessionKind.PREVIEW)
    assert (beat(preview, balance=0), beat(preview, PAID_UNTIL + 1, balance=0)) == (EARLY, EXPIRED)
    assert lease.buy_from_ms(preview) == PAID_UNTIL + 1 and lease.close(preview, NOW).refund_millipoints == 0
    left_s = {NOW: 10, NOW + 1: 9, PAID_UNTIL + 1: 0}
    assert {at_ms: lease.seconds_left(holding(0), preview, at_ms) for at_ms in left_s} == left_s
    decision = beat(FREE, balance=0)
    assert isinstance(decision, Purchase) and (decision.outcome, decision.charge_millipoints) == (Outcome.ON_TIME, 0)
    assert lease.seconds_left(holding(0), FREE, NOW) is None
    assert lease.next_beat_in_ms(holding(0), FREE, NOW) == 5_250


def test_seconds_left_count_paid_time_and_money_and_the_other_sessions():
    capped = replace(SESSION, budget_millipoints=5_000)
    cases = [(30_000, SESSION, NOW), (30_000, capped, NOW), (0, SESSION, PAID_UNTIL - 999)]
    cases += [(balance, SESSION, PAID_UNTIL + 5_000) for balance in (0, 999)]
    left = [lease.seconds_left(holding(balance), session, at_ms) for balance, session, at_ms in cases]
    assert left == [40, 15, 0, 0, 0] and all(type(each) is int for each in left)
    others = (
        replace(SESSION, session_id="paid"),
        replace(SESSION, session_id="in the grace", paid_until_ms=NOW - 5_000),
        replace(SESSION, session_id="lapsed", paid_until_ms=NOW - 5_001),
        replace(SESSION, session_id="free", rate_millipoints_per_minute=0),
    )
    wallet = holding(30_000, SESSION, *others)
    assert [each.session_id for each in lease.others_spending(wallet, SESSION, NOW)] == ["paid", "in the grace"]
    assert lease.seconds_left(wallet, SESSION, NOW) == 10 + 30 // 3


def test_a_lease_is_final_when_nothing_more_may_be_spent():
    """A rest of one millipoint still buys a lease."""
    spent = replace(SESSION, budget_millipoints=0)
    preview = replace(FREE, kind=SessionKind.PREVIEW)
    cases = [(0, SESSION), (1, SESSION), (9_999, SESSION), (50_000, spent), (0, FREE), (0, preview)]
    found = [lease.is_final(holding(balance), session, NOW) for balance, session in cases]
    assert found == [True, False, False, True, False, False]
    assert lease.seconds_left(holding(50_000), spent, NOW + 1) == 9, "the paid time, whatever is in the wallet"
    capped = replace(holding(50_000), day=utc_day(NOW), daily_cap_millipoints=10_000, daily_left_millipoints=0)
    midnight = (utc_day(NOW) + 1) * 86_400_000
    until = {NOW + 10_000: True, midnight - 1: True, midnight: False}
    ends = {at_ms: lease.is_final(capped, replace(SESSION, paid_until_ms=at_ms), NOW) for at_ms in until}
    assert ends == until, "a lease that ends after midnight is followed by one of the new day"


def test_a_session_may_fetch_what_it_was_granted_and_as_much_of_its_allowance_as_it_can_pay():
    assert lease.fetchable_ms(holding(8_000), SESSION, NOW) == SESSION.granted_ms + 8_000
    short = replace(SESSION, granted_ms=3_000)
    assert lease.fetchable_ms(holding(8_000), short, NOW) == 6_000
    assert lease.fetchable_ms(holding(7_999), SESSION, NOW) == SESSION.granted_ms + 7_999
    assert lease.fetchable_ms(holding(0), SESSION, NOW) == SESSION.granted_ms
    assert lease.fetchable_ms(holding(0), FREE, NOW) == FREE.granted_ms + 8_000, "a free stream has no last lease"
    cheap = replace(SESSION, rate_millipoints_per_minute=1, charge_millipoints=1)
    assert lease.fetchable_ms(holding(0), cheap, NOW) == cheap.granted_ms
    odd = replace(SESSION, rate_millipoints_per_minute=77_777)
    assert lease.fetchable_ms(holding(1_000), odd, NOW) == SESSION.granted_ms + 771, "771.4 ms, rounded down"


@given(st.integers(0, 30_000), st.integers(0, 30_000), st.integers(0, 30_000))
def test_after_a_final_lease_a_beat_ends_the_session_and_after_another_it_sells(balance, budget, daily_left):
    session = replace(SESSION, budget_millipoints=budget)
    wallet = replace(holding(balance, session), day=utc_day(NOW), daily_left_millipoints=daily_left)
    decision = lease.decide(wallet, session, 2, PAID_UNTIL, delivered=True)
    assert isinstance(decision, Over) is lease.is_final(wallet, session, NOW)


def test_the_first_lease_follows_the_same_rules():
    def bought(outcome, charge, granted_ms):
        times = {"paid_from_ms": NOW, "paid_until_ms": NOW + granted_ms, "free_from_ms": 0, "free_until_ms": 0}
        return Purchase(outcome=outcome, charge_millipoints=charge, granted_ms=granted_ms, **times)

    assert first_lease(0) == first_lease(0, rate=1) == EXHAUSTED
    assert first_lease(1) == bought(Outcome.POOR, 1, 1)
    assert first_lease(10_000) == bought(Outcome.ON_TIME, 10_000, 10_000)
    assert first_lease(10_000, budget=4_000) == bought(Outcome.POOR, 4_000, 4_000)
    assert first_lease(0, rate=0) == bought(Outcome.ON_TIME, 0, 10_000)


def test_free_time_is_never_refunded():
    unserved = beat(at_ms=PAID_UNTIL - 1_000, delivered=False)
    assert isinstance(unserved, Purchase)
    free = {"free_from_ms": unserved.free_from_ms, "free_until_ms": unserved.free_until_ms}
    after = replace(SESSION, seq=2, paid_until_ms=unserved.paid_until_ms, granted_ms=20_000, **free)
    # One paid second is left, then ten free ones.
    assert lease.close(after, PAID_UNTIL - 1_000).refund_millipoints == 1_000
    again = beat(after, after.paid_until_ms - 2_000, seq=3, delivered=False)
    assert isinstance(again, Purchase) and again.free_from_ms == unserved.free_from_ms
    longer = replace(after, paid_until_ms=again.paid_until_ms, free_until_ms=again.free_until_ms)
    assert lease.close(longer, PAID_UNTIL).refund_millipoints == 0


def test_free_time_that_has_just_ended_merges_with_the_next():
    session = replace(SESSION, free_from_ms=NOW + 5_000, free_until_ms=PAID_UNTIL)
    expected = {PAID_UNTIL: NOW + 5_000, PAID_UNTIL + 1: PAID_UNTIL + 1}
    assert {at_ms: beat(session, at_ms, delivered=False).free_from_ms for at_ms in expected} == expected


def test_a_session_that_ends_at_its_start_was_not_watched():
    assert lease.close(SESSION, NOW).watched_ms == 0


RATES = st.integers(min_value=1, max_value=10_000_000)
LEASES = st.integers(min_value=5_000, max_value=60_000)


@given(RATES, LEASES, st.integers(min_value=0, max_value=10**9), st.lists(st.integers(-2_000, 700_000), max_size=30))
def test_whatever_a_client_does_the_bounds_hold(rate, lease_ms, balance, waits_ms):
    """Invariants 1, 5, 6 and 9 on one session: any beats at any times, with a clock that may step back."""
    first = first_lease(balance, rate, lease_ms)
    if isinstance(first, Over):
        assert balance == 0
        return
    price = {
        "rate_millipoints_per_minute": rate,
        "lease_ms": lease_ms,
        "charge_millipoints": lease_charge(rate, lease_ms),
    }
    bought = {"charged_millipoints": first.charge_millipoints, "granted_ms": first.granted_ms}
    session = replace(SESSION, paid_until_ms=first.paid_until_ms, **price, **bought)
    balance -= first.charge_millipoints
    at_ms, latest_ms, beats = NOW, NOW, 1
    for wait_ms in waits_ms:
        at_ms += wait_ms
        latest_ms = max(latest_ms, at_ms)
        decision = beat(session, at_ms, balance, session.seq + 1)
        if isinstance(decision, Purchase):
            beats += 1
            balance -= decision.charge_millipoints
            session = replace(
                session,
                seq=session.seq + 1,
                paid_until_ms=decision.paid_until_ms,
                charged_millipoints=session.charged_millipoints + decision.charge_millipoints,
                granted_ms=session.granted_ms + decision.granted_ms,
            )
            assert session.paid_until_ms <= at_ms + lease.horizon_ms(session) + lease_ms
        assert balance >= 0
    allowed_ms = latest_ms - NOW + lease.horizon_ms(session) + lease_ms
    # Each charge is rounded up, by less than a millipoint.
    assert session.charged_millipoints <= rate * allowed_ms / 60_000 + beats
    back = lease.close(session, at_ms)
    assert 0 <= back.refund_millipoints <= session.charged_millipoints
    assert back.refund_millipoints * 60_000 <= rate * max(0, session.paid_until_ms - at_ms)


@given(RATES, st.integers(min_value=1, max_value=10**9))
def test_the_rest_of_a_wallet_buys_time_that_is_worth_no_more(rate, rest):
    bought_ms = affordable_ms(rest, rate)
    assert bought_ms >= 1 and (bought_ms == 1 or bought_ms * rate <= rest * 60_000)
