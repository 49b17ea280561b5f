"""The rules of reconciliation: served time against paid time, and how long sessions are served beyond their end."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money import reconciliation as rules
from chalicelib.domain.money.cut_offs import BOUNDS_MS, HOUR_MS, by_bound, cut_off_stats, histograms
from chalicelib.domain.money.lease import PREVIEW_MS
from chalicelib.domain.money.measuring import GIVE_UP_MS
from chalicelib.domain.money.reconciliation import DayTotals, Finding, add_up
from chalicelib.domain.money.sessions import SessionKind
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import Entry, EntryKind
from tests.fakes.money.sessions import session_record

NOW = 1_800_000_000_000
SPENT = {"charged_millipoints": 58_000, "refunded_millipoints": 2_000, "watched_ms": 58_000, "granted_ms": 60_000}
RECORD = session_record(NOW - 60_000, ended_at_ms=NOW, end_reason=EndReason.VIEWER_STOPPED, **SPENT)
FREE = {"charged_millipoints": 0, "refunded_millipoints": 0, "rate_millipoints_per_minute": 0}


def entry(kind, delta, n=0):
    ids = {"entry_id": f"{kind}.{n}", "session_id": RECORD.session_id, "version": n + 1}
    return Entry(kind=kind, at_ms=NOW, delta_millipoints=delta, **ids)


# A minute of watching in six leases, and 2 s given back.
LINES = [*(entry(EntryKind.LEASE, -10_000, n) for n in range(6)), entry(EntryKind.REFUND, 2_000, 6)]


def found(media_ms, lines=LINES, *, measured=True, segment_ms=2_000, last_at_ms=0, **changes):
    served = None
    if media_ms is not None:
        sizes = {"media_bytes": media_ms * 100, "segments": media_ms // segment_ms, "requests": 40}
        served = Served(media_ms=media_ms, last_at_ms=last_at_ms, **sizes)
    return rules.reconcile(replace(RECORD, **changes), lines, served, NOW + 120_000, measured=measured)


def test_the_three_figures_stand_side_by_side():
    row = found(64_000)
    assert (row.lease_millipoints, row.refund_millipoints, row.net_millipoints) == (60_000, 2_000, 58_000)
    assert (row.leases, row.granted_ms, row.media_ms, row.media_bytes) == (6, 60_000, 64_000, 6_400_000)
    assert (row.paid_ms, row.drift_ms, row.drift_millipoints) == (58_000, 6_000, 6_000)
    assert (row.agrees, row.reason, row.day) == (True, Finding.OK, "2027-01-15")


def test_a_drift_beyond_the_tolerance_is_a_finding():
    reasons = {38_000: Finding.OK, 78_000: Finding.OK, 80_000: Finding.SERVED_NOT_PAID}
    reasons |= dict.fromkeys((37_999, 0, None), Finding.PAID_NOT_SERVED)
    for media_ms, reason in reasons.items():
        row = found(media_ms)
        assert (row.reason, row.agrees, row.drift_ms) == (reason, reason is Finding.OK, (media_ms or 0) - 58_000)


def test_the_tolerance_grows_with_the_time_and_with_segments_which_are_fetched_further_ahead():
    tolerated = {(0, 0): 20_000, (60_000, 2_000): 20_000, (60_000, 10_000): 45_000, (3_600_000, 2_000): 180_000}
    assert {each: rules.tolerance_ms(*each) for each in tolerated} == tolerated
    assert found(100_000, segment_ms=10_000).reason is Finding.OK
    assert found(100_000, segment_ms=2_000).reason is Finding.SERVED_NOT_PAID


def test_a_withheld_credit_within_a_segment_is_not_listed():
    def withheld(ms):
        return found(58_000 - ms, settled_ms=-ms, settled_millipoints=0).reason

    assert (withheld(2_000), withheld(2_100)) == (Finding.OK, Finding.CREDIT_WITHHELD)


def test_a_lost_lease_is_spent_and_free_time_may_have_been_served():
    assert found(30_000).reason is Finding.PAID_NOT_SERVED
    assert found(30_000, end_reason=EndReason.LEASE_EXPIRED).reason is Finding.OK
    assert found(27_999, end_reason=EndReason.LEASE_EXPIRED).reason is Finding.PAID_NOT_SERVED
    lines = [*LINES, entry(EntryKind.UNSERVED, 0, 7)]
    assert found(88_000, lines).reason is Finding.OK and found(90_000, lines).reason is Finding.SERVED_NOT_PAID
    assert found(88_000, lines).leases == 7


def test_a_missing_line_or_millipoint_is_never_tolerated_even_where_all_else_is_free():
    one = [entry(EntryKind.LEASE, -1)]
    mismatches = [
        *(found(58_000, LINES[:lost] + LINES[lost + 1 :]) for lost in range(7)),
        found(58_000, [*LINES, entry(EntryKind.LEASE, -1, 9)]),
        found(58_000, refunded_millipoints=1_999, charged_millipoints=58_000),
        found(0, one, rate_millipoints_per_minute=0, charged_millipoints=0),
        found(58_000, LINES[1:], measured=False),
    ]
    assert [(row.reason, row.agrees) for row in mismatches] == [(Finding.LEDGER_MISMATCH, False)] * 11


def test_an_outage_and_an_adjustment_lessen_what_was_paid():
    outage = [*LINES, entry(EntryKind.OUTAGE_CREDIT, 30_000, 7)]
    row = found(28_000, outage, charged_millipoints=28_000)
    assert (row.outage_credit_millipoints, row.net_millipoints, row.reason) == (30_000, 28_000, Finding.OK)
    assert found(10_000).reason is Finding.PAID_NOT_SERVED
    row = found(10_000, [*LINES, entry(EntryKind.ADJUSTMENT, 48_000, 8)])
    assert (row.adjustment_millipoints, row.paid_ms, row.drift_ms, row.reason) == (48_000, 10_000, 0, Finding.OK)
    row = found(108_000, [*LINES, entry(EntryKind.ADJUSTMENT, -50_000, 8)])
    assert (row.adjustment_millipoints, row.paid_ms, row.reason) == (-50_000, 108_000, Finding.OK)


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize(
    "changes",
    [FREE, {**FREE, "rate_millipoints_per_minute": 60_000, "kind": SessionKind.PREVIEW, "lease_ms": PREVIEW_MS}],
)
def test_what_is_free_is_not_compared(changes, measured):
    row = found(600_000, [entry(EntryKind.LEASE, 0), entry(EntryKind.REFUND, 0, 1)], measured=measured, **changes)
    assert (row.reason, row.agrees, row.paid_ms, row.drift_ms) == (Finding.FREE, True, None, None)


def test_what_was_not_measured_is_not_said_to_agree_and_a_session_that_goes_on_is_an_error():
    row = found(None, measured=False)
    assert (row.reason, row.agrees, row.drift_ms, row.drift_millipoints) == (Finding.NOT_MEASURED, False, None, None)
    assert row.paid_ms == 58_000
    with pytest.raises(ValueError, match="has not ended"):
        found(0, ended_at_ms=None, end_reason=None)


def test_only_what_was_not_measured_is_looked_at_again_and_not_for_ever():
    assert rules.next_try_ms(found(58_000)) is None and rules.next_try_ms(found(0)) is None
    row, tries = found(None, measured=False), 0
    while (again_ms := rules.next_try_ms(row)) is not None:
        assert again_ms >= row.reconciled_at_ms + rules.RETRY_MS_MIN
        row = replace(row, reconciled_at_ms=again_ms)
        tries += 1
    assert row.reconciled_at_ms > NOW + GIVE_UP_MS and tries < 25


def test_a_session_that_ended_early_has_a_cut_off_time_which_is_waited_for():
    def cut_off(after_end_ms, reason=EndReason.KICKED, **options):
        return found(58_000, last_at_ms=NOW + after_end_ms, end_reason=reason, **options).cut_off_ms

    assert [cut_off(each) for each in (-5_000, 0, 1, 1_234)] == [0, 0, 1, 1_234]
    assert cut_off(77, EndReason.STREAM_PAUSED) == cut_off(77, EndReason.BALANCE_EXHAUSTED) == 77
    assert cut_off(77, EndReason.VIEWER_STOPPED) is None and cut_off(77, measured=False) is None
    assert found(None, end_reason=EndReason.KICKED).cut_off_ms == 0, "nothing was served"
    assert rules.next_try_ms(found(0, [], measured=False, end_reason=EndReason.KICKED, **FREE))
    assert rules.next_try_ms(found(0, [], end_reason=EndReason.KICKED, **FREE)) is None
    assert rules.next_try_ms(found(0, [], measured=False, **FREE)) is None


def test_a_day_is_the_sum_of_its_sessions_and_has_its_cut_offs():
    money = {"lease_millipoints": 180_000, "refund_millipoints": 6_000, "net_millipoints": 174_000, "leases": 18}
    media = {"granted_ms": 180_000, "paid_ms": 174_000, "media_ms": 64_000, "media_bytes": 6_400_000}
    drift = {"drift_ms": -52_000, "drift_millipoints": -52_000, "disagreeing": 2, "not_measured": 1}
    rows = [found(64_000), found(0), found(None, measured=False)]
    assert add_up("2027-01-15", rows) == DayTotals(day="2027-01-15", sessions=3, **money, **media, **drift)
    assert add_up("2027-01-15", []) == DayTotals(day="2027-01-15")
    kicked = replace(found(58_000), end_reason=EndReason.KICKED, cut_off_ms=120)
    [cut_offs] = add_up("2027-01-15", [kicked, replace(kicked, cut_off_ms=7), found(58_000)]).cut_offs
    assert (cut_offs.end_reason, sum(cut_offs.counts), cut_offs.max_ms) == (EndReason.KICKED, 2, 120)


HOUR = 1_800_000_000_000 - 1_800_000_000_000 % HOUR_MS
KICKED, PAUSED = EndReason.KICKED, EndReason.STREAM_PAUSED


def test_each_hour_and_reason_has_its_own_histogram_and_a_bound_is_still_within_it():
    last, next_hour = HOUR + HOUR_MS - 1, HOUR + HOUR_MS
    parts = histograms([(HOUR, KICKED, 0), (last, KICKED, 9), (HOUR, PAUSED, 0), (next_hour, KICKED, 3)])
    rows = [(each.hour_ms, each.end_reason, sum(each.counts), each.max_ms) for each in parts]
    assert rows == [(HOUR, KICKED, 2, 9), (HOUR, PAUSED, 1, 0), (next_hour, KICKED, 1, 3)]
    together = [(each.end_reason, each.sessions, each.max_ms) for each in cut_off_stats(parts)]
    assert together == [(KICKED, 3, 9), (PAUSED, 1, 0)] and histograms([]) == () and cut_off_stats([]) == []
    cut_offs = [each + more for each in BOUNDS_MS for more in (0, 1)]
    [part] = histograms((HOUR, KICKED, each) for each in cut_offs)
    assert by_bound(part) == {"0": 1, **{str(each): 2 for each in BOUNDS_MS[1:]}, "more": 1}


def test_percentiles_are_bounds_and_never_more_than_the_longest():
    tails = ([0] * 99 + [4_321], 0, 0), ([0] * 98 + [4_321] * 2, 0, 4_321), ([40] * 50 + [300] * 50, 50, 300)
    few = ([0], 0, 0), ([7], 7, 7), ([3, 7, 90], 10, 90), ([90_000, 120_000], 120_000, 120_000)
    for cut_offs_ms, p50_ms, p99_ms in (*few, *tails):
        [stats] = cut_off_stats(histograms((HOUR, KICKED, each) for each in cut_offs_ms))
        assert (stats.sessions, stats.p50_ms, stats.p99_ms) == (len(cut_offs_ms), p50_ms, p99_ms)
        ranked = sorted(cut_offs_ms)
        assert stats.p50_ms >= ranked[(len(ranked) - 1) // 2] and stats.p99_ms <= stats.max_ms == ranked[-1]
