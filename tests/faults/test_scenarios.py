"""What chance seldom brings about, told step by step."""

import secrets
from functools import partial

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.domain.streams import Runtime
from chalicelib.domain.wallets import PAGE_ENTRIES
from tests.faults.harness.environment import OLD_NEWS_MS
from tests.faults.harness.operations import Paid, Refused, Sold
from tests.faults.harness.store_faults import Fault, Faults
from tests.faults.scenarios.recorder import Scene, rows
from tests.faults.scenarios.situations import (
    BETWEEN,
    Situation,
    adjust,
    after_midnight,
    beat,
    funded,
    in_an_outage,
    pay,
    start,
    stop,
    watched,
    watching,
)
from tests.faults.scenarios.situations import idle as standing


def test_a_start_that_arrives_after_the_end_changes_nothing(scene: Scene) -> None:
    situation = standing(scene)
    # The first attempt is on its way, the SDK's own repetition is refused, the next transaction makes the start.
    deed = start(situation, Faults(on_transaction={0: Fault.LATE, 1: Fault.CONFLICT}))
    assert deed.sold
    situation.session_id = deed.sold.session_id
    assert stop(situation, Faults()).answer.reason == "viewer_stopped"  # type: ignore[union-attr]
    assert scene.world.network.land() == 1
    scene.check(situation.viewer)


def test_a_trim_that_arrives_after_its_wallet_is_gone_leaves_no_ghost(scene: Scene) -> None:
    situation = watching(scene, after_ms=6_000)
    # The beat completes a page; its trim is the third write.
    assert beat(situation, Faults(on_write=dict.fromkeys((2, 3, 4), Fault.LATE))).sold
    table, user_id = scene.world.settings.table_prefix + "wallets", situation.viewer.user_id
    client("dynamodb").delete_item(TableName=table, Key=to_row({"user_id": user_id}))
    assert scene.world.network.land() == 3
    assert rows(table, "user_id", [user_id]) == []


def test_while_no_page_can_be_written_the_journal_keeps_its_bound_and_then_all_goes_on(scene: Scene) -> None:
    situation = watching(scene, 1_000_000)
    network, answers = scene.world.network, []
    network.refusing.add("ledger")
    for seq in range(2, 40):
        scene.world.time.advance(10_000)
        answers.append(scene.beat(situation.here, situation.viewer, situation.session_id, seq, faults=Faults()).answer)
        scene.check(situation.viewer)
    assert isinstance(answers[0], Sold)
    # At the cap nothing more is sold, and the viewer is not charged for what could not be noted.
    assert not isinstance(answers[-1], Sold | Refused)
    network.refusing.clear()
    scene.world.time.advance(10_000)
    assert scene.beat(situation.here, situation.viewer, situation.session_id, 40).sold
    view = scene.check(situation.viewer)[0]
    assert len(view.wallet.journal) < PAGE_ENTRIES


def test_only_complete_pages_leave_the_journal(scene: Scene) -> None:
    situation = watching(scene)
    network = scene.world.network
    network.refusing.add("ledger")
    # Up to version 14: two pages, and two changes of the third.
    for _ in range(9):
        assert isinstance(pay(situation, Faults()).answer, Paid)
    network.refusing.clear()
    pay(situation, Faults())
    [view] = scene.check(situation.viewer)
    assert (len(view.pages), [entry.version for entry in view.wallet.journal]) == (2, [13, 14, 15])


def test_a_page_is_chained_to_the_one_before(scene: Scene) -> None:
    situation = standing(scene)
    for _ in range(PAGE_ENTRIES + 1):
        assert isinstance(pay(situation, Faults()).answer, Paid)
    [view] = scene.check(situation.viewer)
    assert len(view.pages) == 2


def test_what_a_killed_function_left_is_moved_by_the_schedule(scene: Scene) -> None:
    situation = watching(scene, after_ms=6_000)
    beat(situation, Faults(on_write={1: Fault.KILLED_BEFORE}))
    assert len(scene.view(situation.viewer).wallet.journal) == PAGE_ENTRIES
    scene.work(scene.world.observer, "catch_up")
    [view] = scene.check(situation.viewer)
    assert view.wallet.journal == ()


def test_no_free_time_is_refunded(scene: Scene) -> None:
    situation = watching(scene, after_ms=6_000)
    scene.world.deliver(situation.terms.stream_id, False)
    assert beat(situation, Faults()).answer.outcome == "unserved"  # type: ignore[union-attr]
    scene.world.deliver(situation.terms.stream_id, True)
    scene.world.time.advance(1_000)
    # Four seconds of the lease were given back as the stream went down; what came after was free.
    answer = stop(situation, Faults()).answer
    assert (answer.charged, answer.refunded) == (6_000, 0)  # type: ignore[union-attr]
    scene.check(situation.viewer)


def test_an_outage_in_free_time_gives_nothing_back(scene: Scene) -> None:
    situation = in_an_outage(scene)
    assert beat(situation, Faults()).answer.outcome == "unserved"  # type: ignore[union-attr]
    for down, after_ms in ((False, 1_000), (True, 2_000), (False, 6_500)):
        scene.world.time.advance(1)
        situation.goes(down=down)
        scene.world.time.advance(after_ms)
    assert scene.beat(situation.here, situation.viewer, situation.session_id, 3).sold
    [view] = scene.check(situation.viewer)
    assert [entry.kind.value for entry in view.entries].count("outage_credit") == 1


def test_a_new_day_sells_again(scene: Scene) -> None:
    situation = after_midnight(scene)
    sold = beat(situation, Faults()).sold
    assert sold is not None and (sold.outcome, sold.charged) == ("on_time", 10_000)
    scene.check(situation.viewer)


def test_a_beat_that_arrives_after_midnight_counts_to_the_day_that_has_begun(scene: Scene) -> None:
    scene.world.time.to_midnight(40_000)
    situation = watching(scene, after_ms=6_000, cap=25_000)
    # Sent 34 s before midnight, with all of its repetitions.
    assert not beat(situation, Faults(on_write=dict.fromkeys(range(9), Fault.LATE))).sold
    scene.world.time.advance(40_000)
    # Another function begins the day, and dies before it sells anything.
    begun = scene.start(
        situation.there, situation.viewer, situation.terms, faults=Faults(on_transaction={0: Fault.KILLED_BEFORE})
    )
    assert not begun.sold
    assert scene.world.network.land() > 0
    for charged in (10_000, 5_000):
        sold = scene.start(situation.there, situation.viewer, situation.terms).sold
        assert sold is not None and sold.charged == charged
    scene.check(situation.viewer)


def test_an_outage_that_begins_while_a_function_stands_still_is_not_paid_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    situation = watching(scene, after_ms=500)
    runtimes, seen = situation.here.instance.services.runtimes, []

    def read_and_stand_still(stream_id: str) -> Runtime | None:
        seen.append(type(runtimes).get(runtimes, stream_id))
        scene.world.time.advance(100)
        situation.goes(down=True)
        scene.world.time.advance(OLD_NEWS_MS + 1_000)
        return seen[-1]

    monkeypatch.setattr(runtimes, "get", read_and_stand_still)
    answer = stop(situation, Faults()).answer
    # It stood still with the session ended, as far as its own clock goes.
    assert len(seen) == 1 and answer.charged == 500  # type: ignore[union-attr]
    scene.check(situation.viewer)


def test_media_ends_with_the_grace(scene: Scene) -> None:
    viewer = funded(scene, 60_000, 1)
    situation = watching(scene)
    for waited_ms, allowed in ((10_000, True), (4_999, True), (1, False), (60_000, False)):
        scene.world.time.advance(waited_ms)
        deed = scene.media(scene.world.observer, situation.viewer, situation.session_id)
        assert (type(deed.answer).__name__ == "Served") is allowed, waited_ms
    scene.check(situation.viewer, viewer)


@pytest.mark.parametrize(("since_ms", "until_ms"), [(9_000, 13_000), (11_000, 13_000)])
def test_an_outage_in_the_grace_is_not_paid_for(scene: Scene, since_ms: int, until_ms: int) -> None:
    situation = watching(scene, after_ms=since_ms)
    situation.goes(down=True)
    scene.world.time.advance(until_ms - since_ms)
    situation.goes(down=False)
    scene.world.time.advance(13_500 - until_ms)
    assert beat(situation, Faults()).sold
    scene.world.time.advance(1_500)
    answer = stop(situation, Faults()).answer
    # Fifteen seconds of the stream, less those in which it was down.
    assert answer.charged <= 15_000 - (until_ms - since_ms)  # type: ignore[union-attr]


def test_adjustments_at_once_give_back_no_more_than_it_cost(scene: Scene) -> None:
    for step in range(8):
        situation = watched(scene)
        meanwhile = partial(other_adjustment, situation, 4_000)
        faults = Faults(meanwhile={step: meanwhile})
        answer = adjust(situation, faults).answer
        if faults.meanwhile:
            break
        # Six points were paid, so of four and three only one fits.
        [view] = scene.check(situation.viewer)
        if isinstance(answer, Refused):
            assert answer.code == "adjustment_out_of_bounds"
        given = [entry.delta_millipoints for entry in view.entries if entry.kind.value == "adjustment"]
        assert given == ([4_000] if isinstance(answer, Refused) else [3_000]), step
    assert step > 1


def test_adjustments_take_back_no_more_than_they_gave(scene: Scene) -> None:
    situation = watched(scene)
    amounts = (-1, 6_001, 6_000, 1, -6_001, -6_000, -1)
    answers = [adjust(situation, Faults(), millipoints).answer for millipoints in amounts]
    assert [isinstance(each, Paid) for each in answers] == [False, False, True, False, False, True, False]
    scene.check(situation.viewer)


def test_an_adjustment_waits_for_the_end(scene: Scene) -> None:
    situation = watching(scene, after_ms=6_000)
    for millipoints in (1, -1):
        answer = adjust(situation, Faults(), millipoints).answer
        assert isinstance(answer, Refused) and answer.code == "session_active"
    stop(situation, Faults())
    assert isinstance(adjust(situation, Faults(), 1).answer, Paid)
    scene.check(situation.viewer)


def other_adjustment(situation: Situation, millipoints: int) -> None:
    """By another function, for the same session."""
    payment_id = f"s-{secrets.token_hex(8)}"
    situation.scene.adjust(situation.there, situation.viewer, situation.session_id, payment_id, millipoints)


def test_a_start_that_is_overtaken_by_its_repetition_is_not_over(scene: Scene) -> None:
    situation = standing(scene)
    again = BETWEEN["the same start"]
    assert start(situation, Faults(meanwhile={1: lambda: again(situation)})).sold
    scene.check(situation.viewer)


def test_who_left_in_an_outage_is_credited_however_late_the_reaper_comes(scene: Scene) -> None:
    """A further outage may have come and gone meanwhile: the first is still known."""
    situation = in_an_outage(scene)
    for wait_ms in (30_000, 3_000_000, 30_000):
        scene.world.time.advance(wait_ms)
        situation.goes(down=wait_ms == 3_000_000)
    scene.work(scene.world.observer, "reap")
    scene.check(situation.viewer)
    lines = [entry for entry in scene.view(situation.viewer).entries if entry.session_id == situation.session_id]
    assert [line.kind.value for line in lines][-2:] == ["outage_credit", "refund"]
