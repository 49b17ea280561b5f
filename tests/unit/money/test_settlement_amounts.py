"""Roundings and bounds of settlements: every amount is a whole number, and each bound is in its place."""

from dataclasses import replace

import pytest

from chalicelib.domain.money import lease
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.settlement import (
    Settlement,
    SettlementWrite,
    allowance_millipoints,
    awaits_settlement,
    charge_of,
    credit_of,
    returned_reserve,
    settlement_of,
)
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import EntryKind, Wallet
from tests.fakes.money.sessions import active_session
from tests.unit.money.test_settlement import DAY, NOW, due, ended, lines, served

# 1.2963 millipoints a millisecond.
ODD = {"rate_millipoints_per_minute": 77_777}


def test_amounts_of_an_odd_rate_are_rounded_down() -> None:
    """9,076 millipoints pay for 7,001.3 ms, and 100 of a credit for 77.1."""
    assert due(ended(**ODD), lines(9_076, 0), served(8_000)) == (999, -1_294)
    assert due(ended(**ODD), lines(9_176, 0, outage_credit=100), served(8_000)) == (922, -1_195)
    assert due(ended(**ODD), lines(9_076, 0), served(1_000)) == (-6_001, 7_778)


def test_what_costs_less_than_a_millipoint_is_not_settled() -> None:
    cheap = ended(rate_millipoints_per_minute=1)
    assert awaits_settlement(cheap)
    assert due(cheap, lines(0, 0), served(59_999)) == (0, 0)
    assert due(cheap, lines(0, 0), served(60_000)) == (60_000, -1)


def test_a_session_that_was_granted_nothing_has_no_allowance() -> None:
    assert allowance_millipoints(ended(granted_ms=None)) == 0
    assert allowance_millipoints(ended(granted_ms=1)) == 1


def test_a_session_without_a_cost_gets_no_reserve_back() -> None:
    assert returned_reserve(ended(charged_millipoints=0)) == Settlement()


@pytest.mark.parametrize(
    ("millipoints", "allowed", "returned", "counted"),
    [
        (8_000, 0, 8_000, 0),
        (7_000, 0, 7_000, 0),
        (8_500, 500, 8_500, 500),
        (8_500, 499, 8_000, 0),
        (8_500, 0, 8_000, 0),
        (8_500, MILLIPOINTS_MAX, 8_500, 500),
    ],
)
def test_what_comes_back_beyond_the_reserve_is_the_credit(
    millipoints: int, allowed: int, returned: int, counted: int
) -> None:
    settlement = Settlement(media_ms=-millipoints, millipoints=millipoints)
    write = credit_of(ended(), settlement, NOW, allowed_millipoints=allowed)
    assert (write.settlement.media_ms, write.settlement.millipoints) == (-millipoints, returned)
    assert (write.at_ms, write.delta_millipoints, write.credited_millipoints) == (NOW, returned, counted)
    entry = write.entry(ended())
    assert entry and entry.kind is EntryKind.UNSERVED_CREDIT


def test_a_session_without_a_reserve_gets_nothing_beyond_the_rules() -> None:
    for reserve in (0, None):
        record = ended(reserved_millipoints=reserve)
        write = credit_of(record, Settlement(media_ms=-9, millipoints=9), NOW, allowed_millipoints=8)
        assert write == SettlementWrite(at_ms=NOW, settlement=Settlement(media_ms=-9))
        assert write.entry(record) is None


@pytest.mark.parametrize(
    ("due_millipoints", "refunded", "needed", "takes_rest"),
    [
        (8_000, 0, 0, False),
        (8_001, 0, 1, False),
        (8_400, 400, 0, False),
        (8_401, 400, 401, False),
        (8_500, 0, 500, False),
        (8_501, 0, 500, True),
    ],
)
def test_a_charge_says_what_it_needs_of_the_day(
    due_millipoints: int, refunded: int, needed: int, takes_rest: bool
) -> None:
    """What the end gave back is not needed of the day."""
    wallet = Wallet(user_id="u", balance_millipoints=50_000, day=DAY, daily_left_millipoints=500)
    record = ended(refunded_millipoints=refunded)
    write = charge_of(record, Settlement(media_ms=1, millipoints=-due_millipoints), wallet, NOW)
    assert (write.day_millipoints, write.takes_rest, write.rest_millipoints) == (needed, takes_rest, 500)
    assert write.settlement.millipoints == -min(due_millipoints, 8_500)


def test_a_charge_that_a_waived_debt_cuts_takes_no_rest_of_the_day() -> None:
    wallet = Wallet(user_id="u", balance_millipoints=300, day=DAY, daily_left_millipoints=500, debt_waived=True)
    write = charge_of(ended(), Settlement(media_ms=1, millipoints=-9_000), wallet, NOW)
    assert (write.day_millipoints, write.takes_rest, write.debt_millipoints) == (0, False, 0)


def test_the_credits_of_outages_before_are_no_part_of_the_cost() -> None:
    record = ended(adjusted_millipoints=11_999)
    assert settlement_of(record, lines(outage_credit=0), Served()).millipoints == 1


def test_an_end_knows_whether_the_stream_was_down() -> None:
    session = active_session(NOW)
    assert lease.close(session, NOW).in_outage is False
    assert lease.close(session, NOW, in_outage=True).in_outage is True


def test_a_lease_of_one_millipoint_is_the_last_one_too() -> None:
    session = replace(active_session(NOW), charge_millipoints=1)
    assert lease.is_final(Wallet(user_id="u"), session, NOW)
