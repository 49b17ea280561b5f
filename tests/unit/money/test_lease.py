"""The rules of one heartbeat, case by case as docs/billing.md lists them, and what must hold of all of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import (
    GRACE_MS,
    LATE_MS_MAX,
    Outcome,
    Over,
    Purchase,
    Unchanged,
    buy_from_ms,
    decide,
    first_purchase,
    horizon_ms,
    next_beat_in_ms,
    others_spending,
    seconds_left,
    settle,
)
from chalicelib.domain.money.points import MILLIPOINTS_MAX, affordable_ms, lease_charge, refund
from chalicelib.domain.money.sessions import ActiveSession, SessionKind
from chalicelib.domain.money.wallets import Wallet

NOW = 1_800_000_000_000
PAID_UNTIL = NOW + 10_000
SESSION = ActiveSession(
    session_id="a" * 26,
    stream_id="stream-1",
    kind=SessionKind.VIEWING,
    started_at_ms=NOW,
    rate_millipoints_per_minute=60_000,
    lease_ms=10_000,
    charge_millipoints=10_000,
    seq=1,
    paid_from_ms=NOW,
    paid_until_ms=PAID_UNTIL,
    charged_millipoints=10_000,
    budget_millipoints=MILLIPOINTS_MAX,
    granted_ms=10_000,
)


def holding(balance: int) -> Wallet:
    return Wallet(user_id="u", balance_millipoints=balance)


@pytest.mark.parametrize(
    ("rate", "lease_ms", "charge"),
    [(60_000, 10_000, 10_000), (1, 10_000, 1), (6, 10_000, 1), (7, 10_000, 2), (0, 60_000, 0), (1_000, 5_001, 84)],
)
def test_a_charge_is_rounded_up(rate: int, lease_ms: int, charge: int) -> None:
    assert lease_charge(rate, lease_ms) == charge


def test_a_refund_is_rounded_down_and_bounded_by_what_was_charged() -> None:
    assert refund(60_000, 3_333, 10_000) == 3_333
    assert refund(1_000, 59_999, 10_000) == 999
    assert refund(60_000, 60_000, 10_000) == 10_000
    assert refund(60_000, -5, 10_000) == 0


@pytest.mark.parametrize(("lease_ms", "horizon"), [(5_000, 2_500), (5_001, 2_500), (10_000, 5_000), (60_000, 5_000)])
def test_the_horizon_is_half_a_lease_and_five_seconds_at_most(lease_ms: int, horizon: int) -> None:
    assert horizon_ms(replace(SESSION, lease_ms=lease_ms)) == horizon


@pytest.mark.parametrize(
    ("seq", "at_ms", "balance", "delivered", "expected"),
    [
        (1, PAID_UNTIL, 50_000, True, Unchanged(Outcome.REPLAY)),
        (0, PAID_UNTIL, 50_000, True, Unchanged(Outcome.STALE)),
        (1, PAID_UNTIL + LATE_MS_MAX + 1, 50_000, True, Unchanged(Outcome.REPLAY)),
        (2, PAID_UNTIL - 5_001, 50_000, True, Unchanged(Outcome.EARLY)),
        (2, PAID_UNTIL - 5_001, 50_000, False, Unchanged(Outcome.EARLY)),
        (2, PAID_UNTIL - 1, 0, True, Unchanged(Outcome.EARLY)),
        (2, PAID_UNTIL, 0, True, Over(EndReason.BALANCE_EXHAUSTED)),
        (2, PAID_UNTIL + LATE_MS_MAX, 0, True, Over(EndReason.BALANCE_EXHAUSTED)),
        (2, PAID_UNTIL + LATE_MS_MAX + 1, 50_000, True, Over(EndReason.LEASE_EXPIRED)),
        (2, PAID_UNTIL + LATE_MS_MAX + 1, 50_000, False, Over(EndReason.LEASE_EXPIRED)),
    ],
)
def test_beats_that_sell_nothing(
    seq: int, at_ms: int, balance: int, delivered: bool, expected: Unchanged | Over
) -> None:
    assert decide(holding(balance), SESSION, seq, at_ms, delivered=delivered) == expected


@pytest.mark.parametrize(
    ("at_ms", "balance", "delivered", "outcome", "charge", "until_ms"),
    [
        (PAID_UNTIL - 5_000, 50_000, True, Outcome.ON_TIME, 10_000, PAID_UNTIL + 10_000),
        (PAID_UNTIL, 50_000, True, Outcome.ON_TIME, 10_000, PAID_UNTIL + 10_000),
        (PAID_UNTIL + 1, 50_000, True, Outcome.LATE, 10_000, PAID_UNTIL + 10_000),
        (PAID_UNTIL + GRACE_MS, 50_000, True, Outcome.LATE, 10_000, PAID_UNTIL + 10_000),
        (PAID_UNTIL + GRACE_MS + 1, 50_000, True, Outcome.LATE, 10_000, PAID_UNTIL + GRACE_MS + 10_001),
        (PAID_UNTIL + LATE_MS_MAX, 50_000, True, Outcome.LATE, 10_000, PAID_UNTIL + LATE_MS_MAX + 10_000),
        (PAID_UNTIL - 5_000, 9_999, True, Outcome.POOR, 9_999, PAID_UNTIL + 9_999),
        (PAID_UNTIL + 500, 1, True, Outcome.POOR, 1, PAID_UNTIL + 1),
        (PAID_UNTIL - 5_000, 50_000, False, Outcome.UNSERVED, 0, PAID_UNTIL + 10_000),
        (PAID_UNTIL + 1, 50_000, False, Outcome.UNSERVED, 0, PAID_UNTIL + 10_001),
        (PAID_UNTIL, 0, False, Outcome.UNSERVED, 0, PAID_UNTIL + 10_000),
    ],
)
def test_beats_that_grant_time(
    at_ms: int, balance: int, delivered: bool, outcome: Outcome, charge: int, until_ms: int
) -> None:
    decision = decide(holding(balance), SESSION, 2, at_ms, delivered=delivered)
    assert isinstance(decision, Purchase)
    assert (decision.outcome, decision.charge_millipoints, decision.paid_until_ms) == (outcome, charge, until_ms)


@pytest.mark.parametrize("delivered", [True, False])
@pytest.mark.parametrize(
    ("at_ms", "from_ms"),
    [
        (PAID_UNTIL - 1, NOW),
        (PAID_UNTIL + GRACE_MS, NOW),
        (PAID_UNTIL + GRACE_MS + 1, PAID_UNTIL + GRACE_MS + 1),
    ],
)
def test_paid_time_is_continuous_up_to_the_end_of_the_grace(at_ms: int, from_ms: int, delivered: bool) -> None:
    decision = decide(holding(50_000), SESSION, 2, at_ms, delivered=delivered)
    assert isinstance(decision, Purchase)
    assert decision.paid_from_ms == from_ms


@pytest.mark.parametrize(
    ("down_until_ms", "until_ms"),
    [
        (PAID_UNTIL, PAID_UNTIL + 10_000),
        (PAID_UNTIL + 1, PAID_UNTIL + 12_000),
        (PAID_UNTIL + 2_000, PAID_UNTIL + 12_000),
        (PAID_UNTIL + 2_001, PAID_UNTIL + 10_000),
    ],
)
def test_the_time_of_an_outage_after_the_lease_is_not_sold(down_until_ms: int, until_ms: int) -> None:
    at_ms = PAID_UNTIL + 2_000
    decision = decide(holding(50_000), SESSION, 2, at_ms, delivered=True, down_until_ms=down_until_ms)
    assert isinstance(decision, Purchase)
    assert decision.paid_until_ms == until_ms


def test_a_session_that_costs_one_millipoint_ends_with_an_empty_wallet() -> None:
    cheap = replace(SESSION, rate_millipoints_per_minute=1, charge_millipoints=1, charged_millipoints=1)
    assert decide(holding(0), cheap, 2, PAID_UNTIL, delivered=True) == Over(EndReason.BALANCE_EXHAUSTED)
    assert next_beat_in_ms(holding(0), cheap, NOW) == 10_250


def test_a_spent_maximum_ends_with_its_own_reason() -> None:
    session = replace(SESSION, budget_millipoints=0)
    assert decide(holding(50_000), session, 2, PAID_UNTIL, delivered=True) == Over(EndReason.MAX_POINTS_REACHED)
    rest = decide(holding(50_000), replace(SESSION, budget_millipoints=4_000), 2, PAID_UNTIL, delivered=True)
    assert isinstance(rest, Purchase)
    assert (rest.outcome, rest.charge_millipoints, rest.granted_ms) == (Outcome.POOR, 4_000, 4_000)


def test_a_preview_is_one_free_lease() -> None:
    preview = replace(
        SESSION, kind=SessionKind.PREVIEW, rate_millipoints_per_minute=0, charge_millipoints=0, charged_millipoints=0
    )
    assert decide(holding(0), preview, 2, PAID_UNTIL, delivered=True) == Unchanged(Outcome.EARLY)
    assert decide(holding(0), preview, 2, PAID_UNTIL + 1, delivered=True) == Over(EndReason.LEASE_EXPIRED)
    assert buy_from_ms(preview) == preview.paid_until_ms + 1
    assert [seconds_left(holding(0), preview, at_ms) for at_ms in (NOW, NOW + 1, PAID_UNTIL + 1)] == [10, 9, 0]
    assert settle(preview, NOW).refund_millipoints == 0


def test_a_free_stream_is_watched_with_an_empty_wallet() -> None:
    free = replace(SESSION, rate_millipoints_per_minute=0, charge_millipoints=0, charged_millipoints=0)
    decision = decide(holding(0), free, 2, PAID_UNTIL, delivered=True)
    assert isinstance(decision, Purchase)
    assert (decision.outcome, decision.charge_millipoints) == (Outcome.ON_TIME, 0)
    assert seconds_left(holding(0), free, NOW) is None
    assert next_beat_in_ms(holding(0), free, NOW) == 5_250


@pytest.mark.parametrize(
    ("balance", "at_ms", "expected_ms"),
    [(50_000, NOW, 5_250), (50_000, NOW + 7_000, 250), (50_000, NOW + 20_000, 250), (0, NOW, 10_250)],
)
def test_the_next_beat_is_due_when_it_becomes_chargeable(balance: int, at_ms: int, expected_ms: int) -> None:
    assert next_beat_in_ms(holding(balance), SESSION, at_ms) == expected_ms


def test_seconds_left_count_paid_time_and_money() -> None:
    capped = replace(SESSION, budget_millipoints=5_000)
    left = [
        seconds_left(holding(balance), session, at_ms)
        for balance, session, at_ms in (
            (30_000, SESSION, NOW),
            (30_000, capped, NOW),
            (0, SESSION, PAID_UNTIL + 5_000),
            (999, SESSION, PAID_UNTIL + 5_000),
            (0, SESSION, PAID_UNTIL - 999),
        )
    ]
    assert left == [40, 15, 0, 0, 0]
    assert all(type(each) is int for each in left)


def test_time_left_counts_the_other_sessions() -> None:
    others = {
        "paid": replace(SESSION, session_id="paid"),
        "in the grace": replace(SESSION, session_id="in the grace", paid_until_ms=NOW - 5_000),
        "lapsed": replace(SESSION, session_id="lapsed", paid_until_ms=NOW - 5_001),
        "free": replace(SESSION, session_id="free", rate_millipoints_per_minute=0),
    }
    wallet = replace(holding(30_000), sessions={SESSION.session_id: SESSION, **others})
    assert [each.session_id for each in others_spending(wallet, SESSION, NOW)] == ["paid", "in the grace"]
    assert seconds_left(wallet, SESSION, NOW) == 10 + 30 // 3


def test_the_first_lease_follows_the_same_rules() -> None:
    def first(available: int, rate: int = 60_000, budget: int = MILLIPOINTS_MAX) -> Purchase | Over:
        return first_purchase(
            holding(available),
            rate_millipoints_per_minute=rate,
            lease_ms=10_000,
            budget_millipoints=budget,
            now_ms=NOW,
        )

    def lease(outcome: Outcome, charge: int, granted_ms: int) -> Purchase:
        return Purchase(
            outcome=outcome,
            charge_millipoints=charge,
            granted_ms=granted_ms,
            paid_from_ms=NOW,
            paid_until_ms=NOW + granted_ms,
            free_from_ms=0,
            free_until_ms=0,
        )

    assert first(0) == first(0, rate=1) == Over(EndReason.BALANCE_EXHAUSTED)
    assert first(1) == lease(Outcome.POOR, 1, 1)
    assert first(10_000) == lease(Outcome.ON_TIME, 10_000, 10_000)
    assert first(10_000, budget=4_000) == lease(Outcome.POOR, 4_000, 4_000)
    assert first(0, rate=0) == lease(Outcome.ON_TIME, 0, 10_000)


def test_free_time_is_never_refunded() -> None:
    unserved = decide(holding(50_000), SESSION, 2, PAID_UNTIL - 1_000, delivered=False)
    assert isinstance(unserved, Purchase)
    after = replace(
        SESSION,
        seq=2,
        paid_until_ms=unserved.paid_until_ms,
        granted_ms=20_000,
        free_from_ms=unserved.free_from_ms,
        free_until_ms=unserved.free_until_ms,
    )
    # One paid second is left, then ten free ones.
    assert settle(after, PAID_UNTIL - 1_000).refund_millipoints == 1_000
    again = decide(holding(50_000), after, 3, after.paid_until_ms - 2_000, delivered=False)
    assert isinstance(again, Purchase)
    assert again.free_from_ms == unserved.free_from_ms
    longer = replace(after, paid_until_ms=again.paid_until_ms, free_until_ms=again.free_until_ms)
    assert settle(longer, PAID_UNTIL).refund_millipoints == 0


@pytest.mark.parametrize(("at_ms", "from_ms"), [(PAID_UNTIL, NOW + 5_000), (PAID_UNTIL + 1, PAID_UNTIL + 1)])
def test_free_time_that_has_just_ended_merges_with_the_next(at_ms: int, from_ms: int) -> None:
    session = replace(SESSION, free_from_ms=NOW + 5_000, free_until_ms=PAID_UNTIL)
    decision = decide(holding(50_000), session, 2, at_ms, delivered=False)
    assert isinstance(decision, Purchase)
    assert decision.free_from_ms == from_ms


def test_a_session_that_ends_at_its_start_was_not_watched() -> None:
    assert settle(SESSION, NOW).watched_ms == 0


RATES = st.integers(min_value=1, max_value=10_000_000)
LEASES = st.integers(min_value=5_000, max_value=60_000)


@given(RATES, LEASES, st.integers(min_value=0, max_value=10**9), st.lists(st.integers(-2_000, 700_000), max_size=30))
def test_whatever_a_client_does_the_bounds_hold(rate: int, lease_ms: int, balance: int, waits_ms: list[int]) -> None:
    """Invariants 1, 5, 6 and 9 on one session: any beats at any times, with a clock that may step back."""
    first = first_purchase(
        holding(balance),
        rate_millipoints_per_minute=rate,
        lease_ms=lease_ms,
        budget_millipoints=MILLIPOINTS_MAX,
        now_ms=NOW,
    )
    if isinstance(first, Over):
        assert balance == 0
        return
    session = replace(
        SESSION,
        rate_millipoints_per_minute=rate,
        lease_ms=lease_ms,
        charge_millipoints=lease_charge(rate, lease_ms),
        paid_until_ms=first.paid_until_ms,
        charged_millipoints=first.charge_millipoints,
        granted_ms=first.granted_ms,
    )
    balance -= first.charge_millipoints
    at_ms, latest_ms, beats = NOW, NOW, 1
    for wait_ms in waits_ms:
        at_ms += wait_ms
        latest_ms = max(latest_ms, at_ms)
        decision = decide(holding(balance), session, session.seq + 1, at_ms, delivered=True)
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
            assert session.paid_until_ms <= at_ms + horizon_ms(session) + lease_ms
        assert balance >= 0
    allowed_ms = latest_ms - NOW + horizon_ms(session) + lease_ms
    # Each charge is rounded up, by less than a millipoint.
    assert session.charged_millipoints <= rate * allowed_ms / 60_000 + beats
    back = settle(session, at_ms)
    assert 0 <= back.refund_millipoints <= session.charged_millipoints
    assert back.refund_millipoints * 60_000 <= rate * max(0, session.paid_until_ms - at_ms)


@given(RATES, st.integers(min_value=1, max_value=10**9))
def test_the_rest_of_a_wallet_buys_time_that_is_worth_no_more(rate: int, rest: int) -> None:
    bought_ms = affordable_ms(rest, rate)
    assert bought_ms >= 1
    assert bought_ms == 1 or bought_ms * rate <= rest * 60_000
