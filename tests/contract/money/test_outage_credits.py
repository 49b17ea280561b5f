"""Viewers do not pay for outages: over both stores, with a set clock."""

from copy import copy
from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Outcome
from chalicelib.domain.money.wallets import EntryKind
from chalicelib.domain.streams.runtime import Outage
from chalicelib.services.money.delivery import DeliveryStatus
from tests.contract.conftest import MoneyStores
from tests.contract.money.billing_services import LEASE_MS, Services, build_services


@pytest.fixture
def services(money: MoneyStores) -> Services:
    return build_services(money)


def goes_down(services: Services, ago_ms: int) -> Outage:
    outage = Outage(since_ms=services.clock.now_ms() - ago_ms, until_ms=None)
    services.delivery.on, services.delivery.outages = False, (*services.delivery.outages, outage)
    return outage


def comes_back(services: Services) -> None:
    outage = replace(services.delivery.outages[-1], until_ms=services.clock.now_ms())
    services.delivery.on, services.delivery.outages = True, (*services.delivery.outages[:-1], outage)


def kinds(services: Services, user_id: str) -> list[str]:
    entries = services.ledger.entries(user_id, limit=50, cursor=None).items
    return [entry.kind.value for entry in reversed(entries) if entry.session_id]


def test_a_minute_without_picture_costs_nothing(services: Services) -> None:
    user_id = services.viewer(100_000)
    beat = services.open(user_id)
    session_id, began_ms = beat.session.session_id, services.clock.now_ms()
    services.clock.advance(8_000)
    services.billing.heartbeat(user_id, session_id, 2)
    outage = goes_down(services, ago_ms=3_000)
    seq = 2
    while services.clock.now_ms() < outage.since_ms + 60_000:
        beat = services.billing.heartbeat(user_id, session_id, seq + 1)
        seq = beat.session.seq
        services.clock.advance(2_000)
    comes_back(services)
    free_until_ms = beat.session.paid_until_ms
    services.clock.advance(free_until_ms - services.clock.now_ms())
    beat = services.billing.heartbeat(user_id, session_id, seq + 1)
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.ON_TIME, 10_000)
    # Five seconds of picture before the outage, and the lease that has just been bought.
    assert services.balance(user_id) == 100_000 - 5_000 - 10_000
    assert kinds(services, user_id).count("outage_credit") == 1
    credit = next(e for e in services.ledger.entries(user_id, limit=50, cursor=None).items if e.kind == "outage_credit")
    assert credit.entry_id == f"o.stream-1.{outage.since_ms}.2.{session_id}"
    assert credit.delta_millipoints == 20_000 - (outage.since_ms - began_ms)
    assert services.ledger_sum(user_id) == services.balance(user_id)


def test_a_short_outage_between_two_beats_is_given_back_at_the_next(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(4_000)
    goes_down(services, ago_ms=1_000)
    services.clock.advance(1_500)
    comes_back(services)
    services.clock.advance(1_000)
    beat = services.billing.heartbeat(user_id, session_id, 2)
    assert (beat.outcome, beat.wallet.balance_millipoints) == (Outcome.ON_TIME, 100_000 - 20_000 + 2_500)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.REPLAY
    services.clock.advance(LEASE_MS)
    after = services.billing.heartbeat(user_id, session_id, 3)
    assert after.wallet.balance_millipoints == 100_000 - 30_000 + 2_500
    assert kinds(services, user_id) == ["lease", "outage_credit", "lease", "lease"]


def test_an_end_gives_back_what_the_outage_took_and_the_rest_once(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(7_000)
    goes_down(services, ago_ms=3_000)
    record = services.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)
    assert (record.charged_millipoints, record.refunded_millipoints) == (4_000, 0)
    assert services.balance(user_id) == 96_000
    assert kinds(services, user_id) == ["lease", "outage_credit", "refund"]
    assert services.billing.end(user_id, session_id, EndReason.KICKED) == record


def test_what_is_down_because_it_was_paused_is_a_refund(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(4_000)
    paused_at_ms = services.clock.now_ms()
    services.clock.advance(1_000)
    goes_down(services, ago_ms=500)
    record = services.billing.end(user_id, session_id, EndReason.STREAM_PAUSED, as_of_ms=paused_at_ms)
    assert (record.charged_millipoints, record.refunded_millipoints) == (4_000, 6_000)
    assert kinds(services, user_id) == ["lease", "refund"]


def test_a_session_that_starts_after_an_outage_gets_nothing_for_it(services: Services) -> None:
    goes_down(services, ago_ms=5_000)
    comes_back(services)
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(6_000)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.ON_TIME
    assert kinds(services, user_id) == ["lease", "lease"]


def test_a_credit_gives_a_viewer_who_had_nothing_left_more_time(services: Services) -> None:
    user_id = services.viewer(10_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(9_000)
    goes_down(services, ago_ms=6_000)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.UNSERVED
    comes_back(services)
    services.clock.advance(LEASE_MS)
    beat = services.billing.heartbeat(user_id, session_id, 3)
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.POOR, 7_000)
    assert services.ledger_sum(user_id) == 0


class OldNews:
    """A process that has not heard of the outage yet, unless it reads past its cache."""

    def __init__(self, services: Services) -> None:
        self._delivery = services.delivery

    def status(self, stream_id: str, *, fresh: bool = False) -> DeliveryStatus:
        return self._delivery.status(stream_id) if fresh else DeliveryStatus(delivered=True, outages=())


def test_a_process_with_old_news_sells_nothing_in_an_outage_that_others_know(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(6_000)
    goes_down(services, ago_ms=3_000)
    beat = services.billing.heartbeat(user_id, session_id, 2)
    stale = copy(services.billing)
    stale._delivery = OldNews(services)  # type: ignore[assignment]
    services.clock.advance(beat.session.paid_until_ms - services.clock.now_ms())
    assert stale.heartbeat(user_id, session_id, 3).outcome is Outcome.UNSERVED
    assert services.balance(user_id) == 97_000
    assert [kind for kind in kinds(services, user_id) if kind != EntryKind.UNSERVED] == ["lease", "outage_credit"]


def test_no_time_without_picture_is_sold_afterwards(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id, began_ms = services.open(user_id).session.session_id, services.clock.now_ms()
    services.clock.advance(3_000)
    goes_down(services, ago_ms=0)
    services.clock.advance(11_400)
    comes_back(services)
    services.clock.advance(100)
    # The beat comes in the grace, and the lease ended in the middle of the outage.
    beat = services.billing.heartbeat(user_id, session_id, 2)
    assert (beat.outcome, beat.session.paid_until_ms) == (Outcome.LATE, began_ms + 14_500 + LEASE_MS)
    assert services.balance(user_id) == 100_000 - 3_000 - 10_000


def test_a_session_that_starts_in_the_last_second_of_a_stream_gets_its_lease_back(services: Services) -> None:
    # Live as far as this process knows, and down at the next look-up.
    services.delivery.outages = (Outage(since_ms=services.clock.now_ms() - 500, until_ms=None),)
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.delivery.on = False
    services.clock.advance(6_000)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.UNSERVED
    assert services.balance(user_id) == 100_000


def test_an_end_as_of_a_moment_in_an_outage_gives_each_moment_back_once(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(3_000)
    goes_down(services, ago_ms=0)
    services.clock.advance(1_000)
    paused_at_ms = services.clock.now_ms()
    services.clock.advance(1_000)
    comes_back(services)
    record = services.billing.end(user_id, session_id, EndReason.STREAM_PAUSED, as_of_ms=paused_at_ms)
    assert (record.charged_millipoints, services.balance(user_id)) == (3_000, 97_000)


def test_an_outage_reported_twice_makes_two_lines_and_pays_once(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(6_000)
    outage = goes_down(services, ago_ms=2_000)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.UNSERVED
    # Clocks disagree on whether a claim had expired: it seems never to have been down, and then it was.
    services.delivery.on, services.delivery.outages = True, ()
    services.clock.advance(LEASE_MS)
    assert services.billing.heartbeat(user_id, session_id, 3).charged_millipoints == 10_000
    services.delivery.on, services.delivery.outages = False, (outage,)
    services.clock.advance(LEASE_MS)
    assert services.billing.heartbeat(user_id, session_id, 4).outcome is Outcome.UNSERVED
    assert kinds(services, user_id).count("outage_credit") == 2
    assert services.balance(user_id) == 100_000 - 4_000 == services.ledger_sum(user_id)
