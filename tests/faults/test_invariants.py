"""Each invariant can fail: a correct view of a viewer is changed, and the invariant finds it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from chalicelib.domain.money.wallets import EntryKind
from tests.faults.harness.environment import Environment, Outage
from tests.faults.harness.operations import (
    Answer,
    Crash,
    EndAnswer,
    LedgerAnswer,
    MediaAnswer,
    Operation,
    PaymentAnswer,
    Refusal,
    ReversalAnswer,
    View,
    Viewer,
)
from tests.faults.harness.store_faults import FaultPlan
from tests.faults.oracle.registry import INVARIANTS, find_violations
from tests.faults.scenarios.recorder import Recorder
from tests.faults.scenarios.situations import adjust, beat, pay, read, reverse, settle, start, stop, watching

Mutation = Callable[[Viewer, View], View]
FAR_MS = 10_000_000


def with_operation(viewer: Viewer, view: View, answer: Answer, **values: object) -> View:
    """Add an operation to the viewer."""
    viewer.operations.append(Operation(user_id=viewer.user_id, **values).record_answer(answer, 0))
    return view


def repeat_line(view: View, kind: str) -> View:
    """Repeat a line of this kind."""
    line = next(entry for entry in view.entries if entry.kind.value == kind)
    return replace(view, entries=[*view.entries, replace(line, version=len(view.entries) + 1)])


def change_wallet(view: View, **changes: object) -> View:
    return replace(view, wallet=replace(view.wallet, **changes))


def change_session(view: View, **changes: object) -> View:
    """Change the active session."""
    sessions = {key: replace(each, **changes) for key, each in view.wallet.sessions.items()}
    return change_wallet(view, sessions=sessions)


def change_first_page(view: View, **changes: object) -> View:
    return replace(view, pages=[replace(view.pages[0], **changes), *view.pages[1:]])


def renew_after_the_end(viewer: Viewer, view: View) -> View:
    session_id = viewer.sessions[-1]
    end = EndAnswer(session_id=session_id, reason="viewer_stopped", charged=0, refunded=0)
    lease = next(each.answer for each in viewer.of("start") if each.lease and each.lease.session_id == session_id)
    with_operation(viewer, view, end, kind="stop")
    return with_operation(viewer, view, lease, kind="renew", session_id=session_id)


def forget_heartbeats(viewer: Viewer, view: View) -> View:
    """Forget the answer of the second lease."""
    viewer.operations = [each for each in viewer.operations if each.kind != "beat"]
    return view


def change_key(viewer: Viewer, view: View) -> View:
    """Change the key of the start."""
    next(viewer.of("start")).key = "another-key-than-this"
    return view


def lower_cap(viewer: Viewer, view: View) -> View:
    viewer.cap = 1
    return view


def add_outage(viewer: Viewer, view: View) -> View:
    """Add an outage during the first session."""
    record = view.records[viewer.sessions[0]]
    outage = Outage(record.started_at_ms, record.started_at_ms, record.started_at_ms + FAR_MS)
    return replace(view, outages={**view.outages, record.stream_id: (outage,)})


def count_adjustment(_: Viewer, view: View) -> View:
    records = {key: replace(each, adjustments=each.adjustments + 1) for key, each in view.records.items()}
    return replace(view, records=records)


def repeat_reversal(_: Viewer, view: View) -> View:
    return repeat_line(view, "reversal")


def exceed_sessions(_: Viewer, view: View) -> View:
    [one] = view.wallet.sessions.values()
    return change_wallet(view, sessions={str(n): one for n in range(4)})


MUTATIONS: dict[str, Mutation] = {
    "a_balance_is_never_below_zero": lambda viewer, view: change_wallet(view, balance_millipoints=-1),
    "the_balance_is_the_sum_of_the_ledger": lambda viewer, view: replace(view, entries=view.entries[:-1]),
    "a_ledger_read_while_it_moves_is_whole": lambda viewer, view: with_operation(
        viewer, view, LedgerAnswer(wallet=view.wallet, entries=view.entries[1:]), kind="read"
    ),
    "a_seq_is_charged_at_most_once": lambda viewer, view: repeat_line(view, "lease"),
    "what_was_acknowledged_is_in_the_ledger": lambda viewer, view: with_operation(
        viewer, view, PaymentAnswer(balance=5), kind="pay", payment_id="never", millipoints=5
    ),
    "a_session_is_charged_for_time_that_passed": lambda viewer, view: replace(view, now_ms=view.now_ms - FAR_MS),
    "paid_time_ends_soon": lambda viewer, view: change_session(view, paid_until_ms=view.now_ms + FAR_MS),
    "no_media_after_the_grace": lambda viewer, view: with_operation(
        viewer,
        view,
        MediaAnswer(at_ms=view.now_ms + FAR_MS),
        kind="media",
        session_id=viewer.sessions[0],
        token_until_ms=FAR_MS,
    ),
    "an_ended_session_gets_nothing_more": renew_after_the_end,
    "a_refund_is_made_once": lambda viewer, view: repeat_line(view, "refund"),
    "an_ended_session_stays_as_it_ended": lambda viewer, view: change_wallet(view, sessions={}),
    "a_fault_free_session_costs_what_was_answered": forget_heartbeats,
    "a_payment_counts_once": lambda viewer, view: replace(view, payments={}),
    "every_line_follows_the_rules": lambda viewer, view: change_session(view, seq=77),
    "nothing_happens_without_a_request": forget_heartbeats,
    "a_journal_stays_small": lambda viewer, view: change_wallet(view, journal=tuple(view.entries) * 10),
    "a_page_is_six_versions": lambda viewer, view: change_first_page(view, entries=view.pages[0].entries[:3]),
    "a_viewer_keeps_to_the_limit_of_sessions": exceed_sessions,
    "nothing_crashes": lambda viewer, view: with_operation(viewer, view, Crash(error="KeyError"), kind="beat"),
    "a_key_opens_one_session": change_key,
    "every_page_is_chained": lambda viewer, view: change_first_page(view, hash="0" * 64),
    "a_day_costs_no_more_than_its_cap": lower_cap,
    "the_day_of_a_wallet_follows_from_its_lines": lambda viewer, view: change_wallet(view, daily_left_millipoints=5),
    "no_outage_is_paid_for": add_outage,
    "a_session_is_settled_once": lambda viewer, view: repeat_line(view, "unserved_credit"),
    "a_debt_is_what_settlements_left": lambda viewer, view: change_wallet(view, debt_millipoints=5),
    "a_start_is_refused_for_a_debt_beyond_the_balance_only": lambda viewer, view: with_operation(
        viewer, view, Refusal(code="debt_open"), kind="start", key="a-key-of-a-refused-start"
    ),
    "an_adjustment_is_counted_once": count_adjustment,
    "a_reversal_takes_back_once": repeat_reversal,
    "an_adjustment_that_fits_is_not_refused": lambda viewer, view: with_operation(
        viewer,
        view,
        Refusal(code="adjustment_out_of_bounds"),
        kind="adjust",
        session_id=viewer.sessions[0],
        payment_id="never",
        millipoints=1,
    ),
}


def change_line(view: View, line_kind: str, **changes: object) -> View:
    """Change the first line of this kind."""
    index = next(n for n, entry in enumerate(view.entries) if entry.kind.value == line_kind)
    entries = list(view.entries)
    entries[index] = replace(entries[index], **changes)
    return replace(view, entries=entries)


def change_record(view: View, **changes: object) -> View:
    """Change the records that are settled."""
    records = {key: replace(r, **changes) if r.settled_at_ms else r for key, r in view.records.items()}
    return replace(view, records=records)


def change_settling(view: View, **changes: object) -> View:
    return replace(view, settling=replace(view.settling, **changes))


# What the replay of the lines finds wrong in a settlement, beside the invariants above.
WRONG_SETTLEMENTS: dict[str, Callable[[View], View]] = {
    "another amount": lambda view: change_line(view, "unserved_credit", delta_millipoints=4_999),
    "another kind": lambda view: change_line(view, "unserved_credit", kind=EntryKind.SERVED_AHEAD),
    "another time than the mark's": lambda view: change_record(view, settled_at_ms=1),
    "another media time": lambda view: change_record(view, settled_ms=-4_999),
    "a debt of a credit": lambda view: change_record(view, settled_debt_millipoints=1),
    "another reserve": lambda view: change_record(view, reserved_millipoints=4_999),
    "in an outage that was not": lambda view: change_record(view, in_outage=True),
    "of an unmeasured session": lambda view: change_settling(view, reports=()),
    "what was served after all": lambda view: change_settling(view, served={}),
    "without credits": lambda view: change_settling(change_record(view, reserved_millipoints=0), credits=False),
    "a start without paying a debt": lambda view: change_record(
        change_line(view, "unserved_credit", delta_millipoints=-1), settled_debt_millipoints=3
    ),
}


@pytest.mark.parametrize("name", WRONG_SETTLEMENTS)
def test_each_wrong_settlement_is_found(sound: tuple[Viewer, View], name: str) -> None:
    viewer, view = deepcopy(sound)
    broken = find_violations(viewer, WRONG_SETTLEMENTS[name](view))
    assert "every_line_follows_the_rules" in {each.split(":", 1)[0] for each in broken}


def test_each_invariant_has_a_way_to_fail() -> None:
    assert {each.__name__ for each in INVARIANTS} == set(MUTATIONS)


@pytest.fixture(scope="module")
def sound(environment: Environment) -> tuple[Viewer, View]:
    """A viewer who watched, stopped, was credited, started again, paid, was refunded, and had a payment reversed.

    They read all of it, and nothing met a fault.
    """
    situation = watching(Recorder(environment), after_ms=6_000)
    assert beat(situation, FaultPlan()).lease
    environment.time.advance(9_000)
    stop(situation, FaultPlan())
    environment.time.advance(100_000)
    [record] = situation.recorder.records(situation.viewer)
    environment.gateway.serve(record, -5_000, environment.time.now_ms)
    situation.recorder.report_log(0)
    settle(situation, FaultPlan())
    situation.key += "-2"
    assert start(situation, FaultPlan()).lease
    pay(situation, FaultPlan())
    adjust(situation, FaultPlan())
    assert isinstance(reverse(situation, FaultPlan()).answer, ReversalAnswer)
    read(situation, FaultPlan())
    [view] = situation.recorder.check(situation.viewer)
    return situation.viewer, view


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_change_is_found(sound: tuple[Viewer, View], name: str) -> None:
    viewer, view = deepcopy(sound)
    assert find_violations(viewer, view) == []
    broken = find_violations(viewer, MUTATIONS[name](viewer, view))
    assert name in {each.split(":", 1)[0] for each in broken}
