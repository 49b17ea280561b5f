"""Sequences of events that are rare in random rounds."""

import secrets
from functools import partial

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.domain.money.wallets import PAGE_ENTRIES
from chalicelib.domain.streams.runtime import Runtime
from tests.faults.harness.environment import CACHE_MS_MAX
from tests.faults.harness.operations import LeaseAnswer, MediaAnswer, PaymentAnswer, Refusal
from tests.faults.harness.store_faults import Fault, FaultPlan
from tests.faults.scenarios.recorder import Recorder, rows
from tests.faults.scenarios.situations import (
    BETWEEN,
    Situation,
    adjust,
    after_midnight,
    beat,
    funded,
    idle,
    in_an_outage,
    pay,
    start,
    stop,
    watched,
    watching,
)


def test_a_start_that_arrives_after_the_end_changes_nothing(recorder: Recorder) -> None:
    situation = idle(recorder)
    # The first attempt is late, the retry of the SDK is refused, and the next transaction succeeds.
    operation = start(situation, FaultPlan(on_transaction={0: Fault.LATE, 1: Fault.CONFLICT}))
    assert operation.lease
    situation.session_id = operation.lease.session_id
    assert stop(situation, FaultPlan()).answer.reason == "viewer_stopped"
    assert recorder.environment.network.deliver_late() == 1
    recorder.check(situation.viewer)


def test_a_trim_that_arrives_after_its_wallet_was_deleted_creates_no_row(recorder: Recorder) -> None:
    situation = watching(recorder, after_ms=6_000)
    # The beat completes a page; its trim is the third write.
    assert beat(situation, FaultPlan(on_write=dict.fromkeys((2, 3, 4), Fault.LATE))).lease
    table, user_id = recorder.environment.settings.table_prefix + "wallets", situation.viewer.user_id
    client("dynamodb").delete_item(TableName=table, Key=to_row({"user_id": user_id}))
    assert recorder.environment.network.deliver_late() == 3
    assert rows(table, "user_id", [user_id]) == []


def test_the_journal_is_bounded_while_no_page_can_be_written_and_recovers(recorder: Recorder) -> None:
    situation = watching(recorder, 1_000_000)
    network, answers = recorder.environment.network, []
    network.throttled_tables.add("ledger")
    for seq in range(2, 40):
        recorder.environment.time.advance(10_000)
        answers.append(
            recorder.beat(situation.driver, situation.viewer, situation.session_id, seq, faults=FaultPlan()).answer
        )
        recorder.check(situation.viewer)
    assert isinstance(answers[0], LeaseAnswer)
    # At the cap nothing is sold.
    assert not isinstance(answers[-1], LeaseAnswer | Refusal)
    network.throttled_tables.clear()
    recorder.environment.time.advance(10_000)
    assert recorder.beat(situation.driver, situation.viewer, situation.session_id, 40).lease
    view = recorder.check(situation.viewer)[0]
    assert len(view.wallet.journal) < PAGE_ENTRIES


def test_only_complete_pages_leave_the_journal(recorder: Recorder) -> None:
    situation = watching(recorder)
    network = recorder.environment.network
    network.throttled_tables.add("ledger")
    # Up to version 14: two pages, and two changes of the third.
    for _ in range(9):
        assert isinstance(pay(situation, FaultPlan()).answer, PaymentAnswer)
    network.throttled_tables.clear()
    pay(situation, FaultPlan())
    [view] = recorder.check(situation.viewer)
    assert (len(view.pages), [entry.version for entry in view.wallet.journal]) == (2, [13, 14, 15])


def test_a_page_is_chained_to_the_one_before(recorder: Recorder) -> None:
    situation = idle(recorder)
    for _ in range(PAGE_ENTRIES + 1):
        assert isinstance(pay(situation, FaultPlan()).answer, PaymentAnswer)
    [view] = recorder.check(situation.viewer)
    assert len(view.pages) == 2


def test_the_schedule_moves_the_journal_of_a_killed_function(recorder: Recorder) -> None:
    situation = watching(recorder, after_ms=6_000)
    beat(situation, FaultPlan(on_write={1: Fault.KILLED_BEFORE}))
    assert len(recorder.view(situation.viewer).wallet.journal) == PAGE_ENTRIES
    recorder.work(recorder.environment.observer, "catch_up")
    [view] = recorder.check(situation.viewer)
    assert view.wallet.journal == ()


def test_no_free_time_is_refunded(recorder: Recorder) -> None:
    situation = watching(recorder, after_ms=6_000)
    recorder.environment.report_stream(situation.terms.stream_id, False)
    assert beat(situation, FaultPlan()).answer.outcome == "unserved"
    recorder.environment.report_stream(situation.terms.stream_id, True)
    recorder.environment.time.advance(1_000)
    # Four seconds of the lease were refunded when the stream went down; later time was free.
    answer = stop(situation, FaultPlan()).answer
    assert (answer.charged, answer.refunded) == (6_000, 0)
    recorder.check(situation.viewer)


def test_an_outage_in_free_time_is_not_refunded(recorder: Recorder) -> None:
    situation = in_an_outage(recorder)
    assert beat(situation, FaultPlan()).answer.outcome == "unserved"
    for down, after_ms in ((False, 1_000), (True, 2_000), (False, 6_500)):
        recorder.environment.time.advance(1)
        situation.set_stream(down=down)
        recorder.environment.time.advance(after_ms)
    assert recorder.beat(situation.driver, situation.viewer, situation.session_id, 3).lease
    [view] = recorder.check(situation.viewer)
    assert [entry.kind.value for entry in view.entries].count("outage_credit") == 1


def test_a_new_day_sells_again(recorder: Recorder) -> None:
    situation = after_midnight(recorder)
    lease = beat(situation, FaultPlan()).lease
    assert lease is not None and (lease.outcome, lease.charged) == ("on_time", 10_000)
    recorder.check(situation.viewer)


def test_a_beat_that_arrives_after_midnight_counts_to_the_day_that_has_begun(recorder: Recorder) -> None:
    recorder.environment.time.to_midnight(40_000)
    situation = watching(recorder, after_ms=6_000, cap=25_000)
    # Sent 34 s before midnight, with all retries.
    assert not beat(situation, FaultPlan(on_write=dict.fromkeys(range(9), Fault.LATE))).lease
    recorder.environment.time.advance(40_000)
    # Another function starts the day, and is killed before it sells anything.
    begun = recorder.start(
        situation.other_driver,
        situation.viewer,
        situation.terms,
        faults=FaultPlan(on_transaction={0: Fault.KILLED_BEFORE}),
    )
    assert not begun.lease
    assert recorder.environment.network.deliver_late() > 0
    for charged in (10_000, 5_000):
        lease = recorder.start(situation.other_driver, situation.viewer, situation.terms).lease
        assert lease is not None and lease.charged == charged
    recorder.check(situation.viewer)


def test_an_outage_that_begins_while_a_function_is_paused_is_not_paid_for(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    situation = watching(recorder, after_ms=500)
    runtimes, seen = situation.driver.instance.services.stores.runtimes, []

    def read_and_pause(stream_id: str) -> Runtime | None:
        seen.append(type(runtimes).get(runtimes, stream_id))
        recorder.environment.time.advance(100)
        situation.set_stream(down=True)
        recorder.environment.time.advance(CACHE_MS_MAX + 1_000)
        return seen[-1]

    monkeypatch.setattr(runtimes, "get", read_and_pause)
    answer = stop(situation, FaultPlan()).answer
    # By its own clock the function ended the session before the outage.
    assert len(seen) == 1 and answer.charged - answer.reserved == 500
    recorder.check(situation.viewer)


def test_media_ends_with_the_grace(recorder: Recorder) -> None:
    viewer = funded(recorder, 60_000, 1)
    situation = watching(recorder)
    for waited_ms, allowed in ((10_000, True), (4_999, True), (1, False), (60_000, False)):
        recorder.environment.time.advance(waited_ms)
        operation = recorder.media(recorder.environment.observer, situation.viewer, situation.session_id)
        assert isinstance(operation.answer, MediaAnswer) is allowed, waited_ms
    recorder.check(situation.viewer, viewer)


@pytest.mark.parametrize(("since_ms", "until_ms"), [(9_000, 13_000), (11_000, 13_000)])
def test_an_outage_in_the_grace_is_not_paid_for(recorder: Recorder, since_ms: int, until_ms: int) -> None:
    situation = watching(recorder, after_ms=since_ms)
    situation.set_stream(down=True)
    recorder.environment.time.advance(until_ms - since_ms)
    situation.set_stream(down=False)
    recorder.environment.time.advance(13_500 - until_ms)
    assert beat(situation, FaultPlan()).lease
    recorder.environment.time.advance(1_500)
    answer = stop(situation, FaultPlan()).answer
    # Fifteen seconds of the stream, less those in which it was down.
    assert answer.charged - answer.reserved <= 15_000 - (until_ms - since_ms)


def test_concurrent_adjustments_refund_no_more_than_the_cost(recorder: Recorder) -> None:
    for step in range(8):
        situation = watched(recorder)
        before_request = partial(other_adjustment, situation, 4_000)
        faults = FaultPlan(before_request={step: before_request})
        answer = adjust(situation, faults).answer
        if faults.before_request:
            break
        # The cost is six points, so only one of four and three fits.
        [view] = recorder.check(situation.viewer)
        if isinstance(answer, Refusal):
            assert answer.code == "adjustment_out_of_bounds"
        given = [entry.delta_millipoints for entry in view.entries if entry.kind.value == "adjustment"]
        assert given == ([4_000] if isinstance(answer, Refusal) else [3_000]), step
    assert step > 1


def test_adjustments_revoke_no_more_than_they_refunded(recorder: Recorder) -> None:
    situation = watched(recorder)
    amounts = (-1, 6_001, 6_000, 1, -6_001, -6_000, -1)
    answers = [adjust(situation, FaultPlan(), millipoints).answer for millipoints in amounts]
    assert [isinstance(each, PaymentAnswer) for each in answers] == [False, False, True, False, False, True, False]
    recorder.check(situation.viewer)


def test_an_adjustment_waits_for_the_end(recorder: Recorder) -> None:
    situation = watching(recorder, after_ms=6_000)
    for millipoints in (1, -1):
        answer = adjust(situation, FaultPlan(), millipoints).answer
        assert isinstance(answer, Refusal) and answer.code == "session_active"
    stop(situation, FaultPlan())
    assert isinstance(adjust(situation, FaultPlan(), 1).answer, PaymentAnswer)
    recorder.check(situation.viewer)


def other_adjustment(situation: Situation, millipoints: int) -> None:
    """Adjust the same session on another function instance."""
    payment_id = f"s-{secrets.token_hex(8)}"
    situation.recorder.adjust(situation.other_driver, situation.viewer, situation.session_id, payment_id, millipoints)


def test_a_start_that_is_overtaken_by_its_repetition_succeeds(recorder: Recorder) -> None:
    situation = idle(recorder)
    again = BETWEEN["the same start"]
    assert start(situation, FaultPlan(before_request={1: lambda: again(situation)})).lease
    recorder.check(situation.viewer)


def test_a_session_that_lapsed_in_an_outage_is_credited_by_a_late_reaper(recorder: Recorder) -> None:
    """A second outage does not hide the first."""
    situation = in_an_outage(recorder)
    for wait_ms in (30_000, 3_000_000, 30_000):
        recorder.environment.time.advance(wait_ms)
        situation.set_stream(down=wait_ms == 3_000_000)
    recorder.work(recorder.environment.observer, "reap")
    recorder.check(situation.viewer)
    lines = [entry for entry in recorder.view(situation.viewer).entries if entry.session_id == situation.session_id]
    assert [line.kind.value for line in lines][-2:] == ["outage_credit", "refund"]
