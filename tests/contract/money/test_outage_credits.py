"""Viewers do not pay for outages: over both stores, with a set clock."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import StreamNotLive
from chalicelib.domain.money.lease import LATE_MS_MAX, Outcome
from chalicelib.domain.streams.runtime import Outage
from chalicelib.services.money.delivery_cache import DeliveryStatus
from tests.contract.money.billing_services import LEASE_MS, Services


def goes_down(services: Services, ago_ms: int = 0, after_ms: int = 0) -> Outage:
    services.clock.advance(after_ms)
    outage = Outage(since_ms=services.clock.now_ms() - ago_ms, until_ms=None)
    services.delivery.on, services.delivery.outages = False, (*services.delivery.outages, outage)
    return outage


def comes_back(services: Services, after_ms: int = 0) -> None:
    services.clock.advance(after_ms)
    outage = replace(services.delivery.outages[-1], until_ms=services.clock.now_ms())
    services.delivery.on, services.delivery.outages = True, (*services.delivery.outages[:-1], outage)


def test_a_minute_without_picture_costs_nothing(services: Services) -> None:
    playback, began_ms = services.watching(), services.clock.now_ms()
    beat = playback.beat(2, after_ms=8_000)
    outage = goes_down(services, ago_ms=3_000)
    while services.clock.now_ms() < outage.since_ms + 60_000:
        beat = playback.beat(beat.session.seq + 1)
        services.clock.advance(2_000)
    comes_back(services)
    beat = playback.beat(beat.session.seq + 1, after_ms=beat.session.paid_until_ms - services.clock.now_ms())
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.ON_TIME, 10_000)
    # Five seconds of picture before the outage, and the lease that has just been bought.
    assert playback.balance == 100_000 - 5_000 - 10_000 == playback.ledger_sum
    entries = services.ledger.entries(playback.user_id, limit=50, cursor=None).items
    [credit] = [entry for entry in entries if entry.kind == "outage_credit"]
    assert credit.entry_id == f"o.stream-1.{outage.since_ms}.2.{playback.session_id}"
    assert credit.delta_millipoints == 20_000 - (outage.since_ms - began_ms)


def test_a_short_outage_between_two_beats_is_given_back_at_the_next(services: Services) -> None:
    playback = services.watching()
    goes_down(services, ago_ms=1_000, after_ms=4_000)
    comes_back(services, after_ms=1_500)
    beat = playback.beat(2, after_ms=1_000)
    assert (beat.outcome, beat.wallet.balance_millipoints) == (Outcome.ON_TIME, 100_000 - 20_000 + 2_500)
    assert playback.beat(2).outcome is Outcome.REPLAY
    assert playback.beat(3, after_ms=LEASE_MS).wallet.balance_millipoints == 100_000 - 30_000 + 2_500
    assert playback.kinds() == ["lease", "outage_credit", "lease", "lease"]


def test_an_end_gives_back_what_the_outage_took_and_the_rest_once(services: Services) -> None:
    playback = services.watching()
    goes_down(services, ago_ms=3_000, after_ms=7_000)
    record = playback.end()
    assert (record.charged_millipoints, record.refunded_millipoints, playback.balance) == (4_000, 0, 96_000)
    assert playback.kinds() == ["lease", "outage_credit", "refund"]
    assert playback.end(EndReason.KICKED) == record


def test_what_is_down_because_it_was_paused_is_a_refund(services: Services) -> None:
    playback, began_ms = services.watching(), services.clock.now_ms()
    goes_down(services, ago_ms=500, after_ms=5_000)
    record = playback.end(EndReason.STREAM_PAUSED, as_of_ms=began_ms + 4_000)
    assert (record.charged_millipoints, record.refunded_millipoints) == (4_000, 6_000)
    assert playback.kinds() == ["lease", "refund"]


def test_a_session_that_starts_after_an_outage_gets_nothing_for_it(services: Services) -> None:
    goes_down(services, ago_ms=5_000)
    comes_back(services)
    playback = services.watching()
    assert playback.beat(2, after_ms=6_000).outcome is Outcome.ON_TIME
    assert playback.kinds() == ["lease", "lease"]


def test_a_credit_gives_a_viewer_who_had_nothing_left_more_time(services: Services) -> None:
    playback = services.watching(10_000)
    goes_down(services, ago_ms=6_000, after_ms=9_000)
    assert playback.beat(2).outcome is Outcome.UNSERVED
    comes_back(services)
    beat = playback.beat(3, after_ms=LEASE_MS)
    assert (beat.outcome, beat.charged_millipoints, playback.ledger_sum) == (Outcome.POOR, 7_000, 0)


def test_a_process_with_old_news_sells_nothing_in_an_outage_that_others_know(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    playback = services.watching()
    goes_down(services, ago_ms=3_000, after_ms=6_000)
    beat, status = playback.beat(2), services.delivery.status

    def old_news(stream_id: str, *, fresh: bool = False) -> DeliveryStatus:
        return status(stream_id) if fresh else DeliveryStatus(delivered=True, outages=())

    monkeypatch.setattr(services.delivery, "status", old_news)
    again = playback.beat(3, after_ms=beat.session.paid_until_ms - services.clock.now_ms())
    assert (again.outcome, playback.balance) == (Outcome.UNSERVED, 97_000)
    assert [kind for kind in playback.kinds() if kind != "unserved"] == ["lease", "outage_credit"]


def test_a_start_that_an_outage_overtakes_sells_nothing(services: Services) -> None:
    """Its caller saw the stream live, and then the function paused, or its first tries met a busy wallet."""
    user_id = services.viewer()
    services.delivery.on = False
    with pytest.raises(StreamNotLive, match="Nothing was charged"):
        services.open(user_id)
    assert services.balance(user_id) == 100_000 and not services.ledger.wallet(user_id).sessions
    services.delivery.on = True
    assert services.open(user_id).charged_millipoints > 0


def test_no_time_without_picture_is_sold_afterwards(services: Services) -> None:
    playback, began_ms = services.watching(), services.clock.now_ms()
    goes_down(services, after_ms=3_000)
    comes_back(services, after_ms=11_400)
    # The beat comes in the grace, and the lease ended in the middle of the outage.
    beat = playback.beat(2, after_ms=100)
    assert (beat.outcome, beat.session.paid_until_ms) == (Outcome.LATE, began_ms + 14_500 + LEASE_MS)
    assert playback.balance == 100_000 - 3_000 - 10_000


def test_a_session_that_starts_in_the_last_second_of_a_stream_gets_its_lease_back(services: Services) -> None:
    # Live as far as this process knows, and down at the next look-up.
    goes_down(services, ago_ms=500)
    services.delivery.on = True
    playback = services.watching()
    services.delivery.on = False
    assert playback.beat(2, after_ms=6_000).outcome is Outcome.UNSERVED
    assert playback.balance == 100_000


def test_an_end_as_of_a_moment_in_an_outage_gives_each_moment_back_once(services: Services) -> None:
    playback = services.watching()
    goes_down(services, after_ms=3_000)
    paused_at_ms = services.clock.now_ms() + 1_000
    comes_back(services, after_ms=2_000)
    record = playback.end(EndReason.STREAM_PAUSED, as_of_ms=paused_at_ms)
    assert (record.charged_millipoints, playback.balance) == (3_000, 97_000)


def test_an_outage_reported_twice_makes_two_lines_and_pays_once(services: Services) -> None:
    playback = services.watching()
    outage = goes_down(services, ago_ms=2_000, after_ms=6_000)
    assert playback.beat(2).outcome is Outcome.UNSERVED
    # Clocks disagree on whether a claim had expired: it seems never to have been down, and then it was.
    services.delivery.on, services.delivery.outages = True, ()
    assert playback.beat(3, after_ms=LEASE_MS).charged_millipoints == 10_000
    services.delivery.on, services.delivery.outages = False, (outage,)
    assert playback.beat(4, after_ms=LEASE_MS).outcome is Outcome.UNSERVED
    assert playback.kinds().count("outage_credit") == 2
    assert playback.balance == 100_000 - 4_000 == playback.ledger_sum


@pytest.mark.parametrize(("ago_ms", "in_outage"), [(10_000, False), (586_000, True)])
def test_an_outage_that_began_after_a_lease_and_its_grace_spares_no_charge(
    services: Services, ago_ms: int, in_outage: bool
) -> None:
    """A session that lapsed was served until then, and the schedule ends it ten minutes later."""
    playback = services.watching()
    services.clock.advance(LATE_MS_MAX)
    goes_down(services, ago_ms=ago_ms)
    assert playback.end(EndReason.LEASE_EXPIRED).in_outage is in_outage
