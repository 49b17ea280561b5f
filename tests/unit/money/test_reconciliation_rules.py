"""The rules of reconciliation: served time against paid time."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import PREVIEW_MS
from chalicelib.domain.money.reconciliation import (
    FOLLOWER_GONE_MS,
    GIVE_UP_MS,
    LOG_ARRIVES_MS,
    RETRY_MS_MIN,
    DayTotals,
    Finding,
    SessionReconciliation,
    add_up,
    is_measured,
    next_try_ms,
    reconcile,
    tolerance_ms,
)
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import Entry, EntryKind

NOW = 1_800_000_000_000
SESSION = "a" * 26
RECORD = SessionRecord(
    session_id=SESSION,
    user_id="u_" + "a" * 20,
    stream_id="stream-1",
    kind=SessionKind.VIEWING,
    started_at_ms=NOW - 60_000,
    rate_millipoints_per_minute=60_000,
    lease_ms=10_000,
    due_shard=0,
    due_ms=0,
    ended_at_ms=NOW,
    end_reason=EndReason.VIEWER_STOPPED,
    charged_millipoints=58_000,
    refunded_millipoints=2_000,
    watched_ms=58_000,
    granted_ms=60_000,
)


def entry(kind: EntryKind, delta: int, n: int = 0) -> Entry:
    return Entry(
        entry_id=f"{kind}.{n}", kind=kind, at_ms=NOW, delta_millipoints=delta, session_id=SESSION, version=n + 1
    )


# A minute of watching in six leases, and 2 s given back.
LINES = [*(entry(EntryKind.LEASE, -10_000, n) for n in range(6)), entry(EntryKind.REFUND, 2_000, 6)]


def served(media_ms: int, segment_ms: int = 2_000) -> Served:
    return Served(media_ms=media_ms, media_bytes=media_ms * 100, segments=media_ms // segment_ms, requests=40)


def found(
    media_ms: int | None,
    lines: list[Entry] | None = None,
    *,
    measured: bool = True,
    segment_ms: int = 2_000,
    **changes: object,
) -> SessionReconciliation:
    figures = None if media_ms is None else served(media_ms, segment_ms)
    record = replace(RECORD, **changes)  # type: ignore[arg-type]
    return reconcile(record, LINES if lines is None else lines, figures, NOW + 120_000, measured=measured)


def test_the_three_figures_stand_side_by_side() -> None:
    row = found(64_000)
    assert (row.lease_millipoints, row.refund_millipoints, row.net_millipoints) == (60_000, 2_000, 58_000)
    assert (row.leases, row.granted_ms) == (6, 60_000)
    assert (row.media_ms, row.media_bytes) == (64_000, 6_400_000)
    assert (row.paid_ms, row.drift_ms, row.drift_millipoints) == (58_000, 6_000, 6_000)
    assert (row.agrees, row.reason, row.day) == (True, Finding.OK, "2027-01-15")


@pytest.mark.parametrize(
    ("media_ms", "reason"),
    [
        (38_000, Finding.OK),
        (37_999, Finding.PAID_NOT_SERVED),
        (0, Finding.PAID_NOT_SERVED),
        (None, Finding.PAID_NOT_SERVED),
        (78_000, Finding.OK),
        (80_000, Finding.SERVED_NOT_PAID),
    ],
)
def test_a_drift_beyond_the_tolerance_is_a_finding(media_ms: int | None, reason: Finding) -> None:
    row = found(media_ms)
    assert (row.reason, row.agrees) == (reason, reason is Finding.OK)
    assert row.drift_ms == (media_ms or 0) - 58_000


@pytest.mark.parametrize(
    ("paid_ms", "segment_ms", "tolerated"),
    [(0, 0, 20_000), (60_000, 2_000, 20_000), (60_000, 10_000, 45_000), (3_600_000, 2_000, 180_000)],
)
def test_the_tolerance(paid_ms: int, segment_ms: int, tolerated: int) -> None:
    assert tolerance_ms(paid_ms, segment_ms) == tolerated


def test_long_segments_are_fetched_further_ahead() -> None:
    assert found(100_000, segment_ms=10_000).reason is Finding.OK
    assert found(100_000, segment_ms=2_000).reason is Finding.SERVED_NOT_PAID


def test_the_lease_of_a_lost_connection_is_spent() -> None:
    assert found(30_000).reason is Finding.PAID_NOT_SERVED
    assert found(30_000, end_reason=EndReason.LEASE_EXPIRED).reason is Finding.OK
    assert found(27_999, end_reason=EndReason.LEASE_EXPIRED).reason is Finding.PAID_NOT_SERVED


def test_time_that_was_granted_free_may_have_been_served() -> None:
    lines = [*LINES, entry(EntryKind.UNSERVED, 0, 7)]
    assert found(88_000, lines).reason is Finding.OK
    assert found(90_000, lines).reason is Finding.SERVED_NOT_PAID
    assert found(88_000, lines).leases == 7


@pytest.mark.parametrize("lost", range(7))
def test_a_line_that_is_missing_is_never_tolerated(lost: int) -> None:
    row = found(58_000, LINES[:lost] + LINES[lost + 1 :])
    assert (row.reason, row.agrees) == (Finding.LEDGER_MISMATCH, False)


def test_a_millipoint_is_never_tolerated_even_where_all_else_is_free() -> None:
    assert found(58_000, [*LINES, entry(EntryKind.LEASE, -1, 9)]).reason is Finding.LEDGER_MISMATCH
    assert found(58_000, refunded_millipoints=1_999, charged_millipoints=58_000).reason is Finding.LEDGER_MISMATCH
    free = found(0, [entry(EntryKind.LEASE, -1)], rate_millipoints_per_minute=0, charged_millipoints=0)
    assert free.reason is Finding.LEDGER_MISMATCH
    assert found(58_000, LINES[1:], measured=False).reason is Finding.LEDGER_MISMATCH


def test_an_outage_and_an_adjustment_lessen_what_was_paid() -> None:
    outage = [*LINES, entry(EntryKind.OUTAGE_CREDIT, 30_000, 7)]
    row = found(28_000, outage, charged_millipoints=28_000)
    assert (row.outage_credit_millipoints, row.net_millipoints, row.reason) == (30_000, 28_000, Finding.OK)
    unpaid = found(10_000)
    assert unpaid.reason is Finding.PAID_NOT_SERVED
    row = found(10_000, [*LINES, entry(EntryKind.ADJUSTMENT, 48_000, 8)])
    assert (row.adjustment_millipoints, row.paid_ms, row.drift_ms, row.reason) == (48_000, 10_000, 0, Finding.OK)
    row = found(108_000, [*LINES, entry(EntryKind.ADJUSTMENT, -50_000, 8)])
    assert (row.adjustment_millipoints, row.paid_ms, row.reason) == (-50_000, 108_000, Finding.OK)


def test_what_is_free_is_not_compared() -> None:
    nothing = {"charged_millipoints": 0, "refunded_millipoints": 0}
    lines = [entry(EntryKind.LEASE, 0), entry(EntryKind.REFUND, 0, 1)]
    for changes in ({"rate_millipoints_per_minute": 0}, {"kind": SessionKind.PREVIEW, "lease_ms": PREVIEW_MS}):
        for measured in (True, False):
            row = found(600_000, lines, measured=measured, **nothing, **changes)  # type: ignore[arg-type]
            assert (row.reason, row.agrees, row.paid_ms, row.drift_ms) == (Finding.FREE, True, None, None)


def test_what_was_not_measured_is_not_said_to_agree() -> None:
    row = found(None, measured=False)
    assert (row.reason, row.agrees, row.drift_ms, row.drift_millipoints) == (Finding.NOT_MEASURED, False, None, None)
    assert row.paid_ms == 58_000


def test_a_session_that_goes_on_cannot_be_reconciled() -> None:
    with pytest.raises(ValueError, match="has not ended"):
        found(0, ended_at_ms=None, end_reason=None)


@pytest.mark.parametrize(
    ("behind_end_ms", "measured"),
    [
        ([], False),
        ([LOG_ARRIVES_MS], True),
        ([LOG_ARRIVES_MS - 1], False),
        ([LOG_ARRIVES_MS, LOG_ARRIVES_MS - 1], False),
        ([120_000, 120_000 - FOLLOWER_GONE_MS], True),
        ([120_000 - FOLLOWER_GONE_MS], False),
    ],
)
def test_a_session_is_measured_once_every_living_follower_is_past_it(behind_end_ms: list[int], measured: bool) -> None:
    assert is_measured(NOW, [NOW + each for each in behind_end_ms], NOW + 120_000) is measured


def test_only_what_was_not_measured_is_looked_at_again_and_not_for_ever() -> None:
    assert next_try_ms(found(58_000)) is None
    assert next_try_ms(found(0)) is None
    row = found(None, measured=False)
    tries = 0
    while (again_ms := next_try_ms(row)) is not None:
        assert again_ms >= row.reconciled_at_ms + RETRY_MS_MIN
        row = replace(row, reconciled_at_ms=again_ms)
        tries += 1
    assert row.reconciled_at_ms > NOW + GIVE_UP_MS
    assert tries < 25


def test_a_session_that_ended_early_has_a_cut_off_time() -> None:
    def cut_off(last_at_ms: int, reason: EndReason = EndReason.KICKED, *, measured: bool = True) -> int | None:
        media = replace(served(58_000), last_at_ms=last_at_ms)
        record = replace(RECORD, end_reason=reason)
        return reconcile(record, LINES, media, NOW + 120_000, measured=measured).cut_off_ms

    assert [cut_off(NOW + each) for each in (-5_000, 0, 1, 1_234)] == [0, 0, 1, 1_234]
    assert cut_off(NOW + 77, EndReason.STREAM_PAUSED) == cut_off(NOW + 77, EndReason.BALANCE_EXHAUSTED) == 77
    assert cut_off(NOW + 77, EndReason.VIEWER_STOPPED) is None
    assert cut_off(NOW + 77, measured=False) is None
    assert found(None, end_reason=EndReason.KICKED).cut_off_ms == 0, "nothing was served"


def test_a_cut_off_is_waited_for_where_all_else_is_free() -> None:
    nothing = {"charged_millipoints": 0, "refunded_millipoints": 0, "rate_millipoints_per_minute": 0}
    kicked = found(0, [], measured=False, end_reason=EndReason.KICKED, **nothing)  # type: ignore[arg-type]
    assert next_try_ms(kicked)
    assert next_try_ms(found(0, [], end_reason=EndReason.KICKED, **nothing)) is None  # type: ignore[arg-type]
    assert next_try_ms(found(0, [], measured=False, **nothing)) is None  # type: ignore[arg-type]


def test_a_day_has_its_cut_offs() -> None:
    kicked = replace(found(58_000), end_reason=EndReason.KICKED, cut_off_ms=120)
    [cut_offs] = add_up("2027-01-15", [kicked, replace(kicked, cut_off_ms=7), found(58_000)]).cut_offs
    assert (cut_offs.end_reason, sum(cut_offs.counts), cut_offs.max_ms) == (EndReason.KICKED, 2, 120)


def test_a_day_is_the_sum_of_its_sessions() -> None:
    rows = [found(64_000), found(0), found(None, measured=False)]
    assert add_up("2027-01-15", rows) == DayTotals(
        day="2027-01-15",
        sessions=3,
        disagreeing=2,
        not_measured=1,
        lease_millipoints=180_000,
        refund_millipoints=6_000,
        net_millipoints=174_000,
        leases=18,
        granted_ms=180_000,
        paid_ms=174_000,
        media_ms=64_000,
        media_bytes=6_400_000,
        drift_ms=-52_000,
        drift_millipoints=-52_000,
    )
    assert add_up("2027-01-15", []) == DayTotals(day="2027-01-15")
