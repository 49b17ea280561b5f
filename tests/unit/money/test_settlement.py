"""The rules of settlement: what an ended session still costs, or gets back."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money import lease
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.money.settlement import (
    VIEWERS_OWN,
    Settlement,
    awaits_settlement,
    charge_of,
    returned_reserve,
    settlement_of,
)
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import Entry, EntryKind, Wallet
from tests.fakes.money.sessions import active_session, session_record

NOW = 1_800_000_000_000
DAY = NOW // 86_400_000


def ended(**changes: Any) -> SessionRecord:
    """A session at 1 millipoint a millisecond that paid for 12 s, 8 s of that as its reserve."""
    end = {"ended_at_ms": NOW + 4_000, "end_reason": EndReason.VIEWER_STOPPED, "granted_ms": 20_000}
    paid = {"charged_millipoints": 12_000, "refunded_millipoints": 8_000, "reserved_millipoints": 8_000}
    return session_record(NOW, **{**end, **paid, "budget_millipoints": 1_000_000, **changes})


def lines(lease_ms: int = 20_000, refund_ms: int = 8_000, **others: int) -> list[Entry]:
    """The lines of a session, with further amounts by kind."""
    amounts = {"lease": -lease_ms, "refund": refund_ms, **others}
    return [
        Entry(entry_id=str(n), kind=EntryKind(kind), at_ms=NOW, delta_millipoints=amount)
        for n, (kind, amount) in enumerate(amounts.items())
    ]


def served(media_ms: int) -> Served:
    return Served(media_ms=media_ms, segments=-(-media_ms // 2_000), requests=1)


def due(record: SessionRecord, entries: list[Entry], media: Served) -> tuple[int, int]:
    settlement = settlement_of(record, entries, media)
    return settlement.media_ms, settlement.millipoints


def test_what_was_fetched_ahead_is_charged_to_the_millisecond() -> None:
    assert due(ended(), lines(), served(12_001)) == (1, -1)
    assert due(ended(), lines(), served(12_000)) == (0, 0)


@pytest.mark.parametrize("reserved", [0, 8_000])
def test_what_was_not_served_comes_back_to_the_millisecond(reserved: int) -> None:
    record = ended(reserved_millipoints=reserved)
    assert due(record, lines(), served(11_999)) == (-1, 1)
    assert due(record, lines(), served(4_000)) == (-8_000, 8_000)
    assert due(record, lines(), served(3_999)) == (-8_001, 8_001)
    assert due(record, lines(), Served(media_ms=10_000, segments=1, requests=1)) == (-2_000, 2_000)


@pytest.mark.parametrize("reason", ["balance_exhausted", "max_points_reached", "daily_cap_reached"])
def test_who_spends_the_last_point_pays_what_was_served(reason: str) -> None:
    """The last lease may end within a segment, which then is not served."""
    record = ended(end_reason=EndReason(reason), reserved_millipoints=0)
    assert due(record, lines(25_000, 0), served(23_500)) == (-1_500, 1_500)


def test_a_session_that_was_served_nothing_gets_everything_back() -> None:
    assert due(ended(charged_millipoints=900), lines(900, 0), Served()) == (-900, 900)


def test_a_credit_is_at_most_what_the_session_cost_after_its_adjustments() -> None:
    assert due(ended(adjusted_millipoints=9_000), lines(adjustment=9_000), served(0)) == (-12_000, 3_000)
    assert due(ended(adjusted_millipoints=12_000), lines(adjustment=12_000), served(0)) == (0, 0)


def test_an_adjustment_makes_no_charge() -> None:
    """An operator's present is not taken back by the settlement."""
    assert due(ended(adjusted_millipoints=9_000), lines(adjustment=9_000), served(12_000)) == (0, 0)


@pytest.mark.parametrize("reason", EndReason)
def test_only_the_viewers_own_ends_are_charged_and_every_end_is_credited(reason: EndReason) -> None:
    record = ended(end_reason=reason)
    ahead = due(record, lines(), served(14_000))
    assert ahead == ((2_000, -2_000) if reason in VIEWERS_OWN else (0, 0))
    assert due(record, lines(), served(4_000)) == (-8_000, 8_000)


def test_nothing_is_charged_after_an_end_in_an_outage() -> None:
    assert due(ended(in_outage=True), lines(), served(16_000)) == (0, 0)


def test_time_of_outages_is_neither_charged_nor_credited_again() -> None:
    """10 s were granted free and 2 s credited, so up to 22 s may have been served without a charge."""
    entries = lines(unserved=0, outage_credit=2_000)
    assert due(ended(), entries, served(22_000)) == (0, 0)
    assert due(ended(), entries, served(22_500)) == (500, -500)
    assert due(ended(reserved_millipoints=0), entries, served(8_000)) == (-2_000, 2_000)


def test_a_charge_passes_max_points_by_the_allowance_at_most() -> None:
    assert due(ended(budget_millipoints=500), lines(), served(40_000))[1] == -8_500
    # The allowance is never more than what was granted.
    assert due(ended(budget_millipoints=0, granted_ms=1_000), lines(1_000, 0), served(4_000)) == (3_000, -1_000)


def test_a_charge_passes_the_day_s_cap_by_the_allowance_at_most() -> None:
    wallet = Wallet(user_id="u", balance_millipoints=50_000, day=DAY, daily_left_millipoints=500)
    record = ended(refunded_millipoints=0)
    write = charge_of(record, Settlement(media_ms=30_000, millipoints=-30_000), wallet, NOW)
    assert (write.settlement.millipoints, write.delta_millipoints, write.debt_millipoints) == (-8_500, -8_500, 0)
    over = replace(wallet, daily_left_millipoints=-4_000)
    assert charge_of(record, Settlement(media_ms=9_000, millipoints=-9_000), over, NOW).delta_millipoints == -8_000


@pytest.mark.parametrize("left", [-9_000, 0, 7_999])
def test_a_cap_that_was_lowered_does_not_give_away_what_the_end_gave_back(left: int) -> None:
    """Of 20 s that the cap had allowed, 8 s came back although they were fetched."""
    wallet = Wallet(user_id="u", balance_millipoints=50_000, day=DAY, daily_left_millipoints=left)
    write = charge_of(ended(), Settlement(media_ms=16_000, millipoints=-16_000), wallet, NOW)
    assert (write.settlement.millipoints, write.day_millipoints, write.takes_rest) == (-16_000, 0, False)
    cut = charge_of(ended(), Settlement(media_ms=30_000, millipoints=-30_000), wallet, NOW)
    assert (cut.settlement.millipoints, cut.day_millipoints, cut.takes_rest) == (-16_000, 0, True)


def test_what_the_balance_cannot_pay_becomes_debt_but_not_after_an_erasure() -> None:
    wallet = Wallet(user_id="u", balance_millipoints=300)
    write = charge_of(ended(), Settlement(media_ms=1_000, millipoints=-1_000), wallet, NOW)
    assert (write.settlement.millipoints, write.delta_millipoints, write.debt_millipoints) == (-1_000, -300, 700)
    waived = charge_of(ended(), Settlement(media_ms=1_000, millipoints=-1_000), replace(wallet, debt_waived=True), NOW)
    assert (waived.settlement.millipoints, waived.delta_millipoints, waived.debt_millipoints) == (-300, -300, 0)


def test_previews_free_streams_settled_and_old_sessions_await_nothing() -> None:
    assert awaits_settlement(ended())
    others: list[dict[str, Any]] = [
        {"kind": SessionKind.PREVIEW},
        {"rate_millipoints_per_minute": 0},
        {"settled_at_ms": NOW},
        {"reserved_millipoints": None},
    ]
    assert not any(awaits_settlement(ended(**changes)) for changes in others)


def test_without_a_measurement_only_the_reserve_comes_back() -> None:
    assert returned_reserve(ended()) == Settlement(millipoints=8_000)
    assert returned_reserve(ended(adjusted_millipoints=9_000)) == Settlement(millipoints=3_000)


def test_the_end_refunds_all_but_the_reserve() -> None:
    session = active_session(NOW, granted_ms=20_000, charged_millipoints=20_000, paid_until_ms=NOW + 20_000)
    closing = lease.close(session, NOW + 4_000, reserves=True)
    assert (closing.refund_millipoints, closing.reserved_millipoints, closing.watched_ms) == (8_000, 8_000, 4_000)
    late = lease.close(session, NOW + 17_000, reserves=True)
    assert (late.refund_millipoints, late.reserved_millipoints) == (0, 3_000)
    short = lease.close(active_session(NOW, granted_ms=5_000), NOW + 1_000, reserves=True)
    assert (short.refund_millipoints, short.reserved_millipoints) == (4_000, 5_000)
    assert lease.close(session, NOW + 4_000).reserved_millipoints == 0


def test_the_reserve_is_no_free_time() -> None:
    session = active_session(NOW, free_from_ms=NOW + 6_000, free_until_ms=NOW + 10_000)
    closing = lease.close(session, NOW + 1_000, reserves=True)
    assert (closing.refund_millipoints, closing.reserved_millipoints) == (0, 5_000)
