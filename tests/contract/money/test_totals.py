"""Money totals: their sum and what active sessions have paid is the sum of all ledgers, to the millipoint."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from chalicelib.config import Settings
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import DomainError
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS
from chalicelib.domain.money.totals import MoneyTotals, Step
from chalicelib.domain.money.usage import Served, day_of
from chalicelib.domain.money.wallets import MS_PER_DAY, reversed_payment
from chalicelib.ports.common import all_items
from chalicelib.services.money.totals import TotalsOfRange
from chalicelib.stores import Stores
from tests.contract.conftest import delete_all
from tests.contract.money.billing_services import Services
from tests.contract.money.test_settling import Ended, stopped, with_rules
from tests.contract.money.wallet_parts import NOW, funded, payment, wallet_of

DAY = day_of(NOW)


def totals_of(stores: Stores, day: str = DAY) -> MoneyTotals:
    return stores.totals.of_month(day[:7]).get(day, MoneyTotals())


def test_a_payment_and_its_reversal_count_once_each_on_their_day(stores: Stores) -> None:
    user_id = funded(stores, 10_000)
    top_up = payment(user_id, 5_000)
    assert stores.wallets.pay(top_up) and not stores.wallets.pay(top_up)
    assert stores.wallets.pay(payment(user_id, -13_000))
    paid = MoneyTotals(payments=3, credit_millipoints=15_000, removal_millipoints=13_000)
    assert totals_of(stores) == paid
    next_day = NOW + MS_PER_DAY
    reversal = reversed_payment(top_up, wallet_of(stores, user_id).balance_millipoints, next_day, "u_admin", "")
    assert stores.wallets.reverse(reversal) and not stores.wallets.reverse(reversal)
    taken = MoneyTotals(reversals=1, reversal_millipoints=2_000, shortfall_millipoints=3_000)
    assert (totals_of(stores), totals_of(stores, day_of(next_day))) == (paid, taken)
    assert paid.plus(taken).ledger_millipoints == wallet_of(stores, user_id).balance_millipoints == 0


@pytest.fixture
def ended(emptied: Stores) -> Ended:
    """A session that cost ten points for six seconds, and that can be measured and is due."""
    ended = stopped(with_rules(emptied))
    ended.services.clock.advance(RECONCILE_AFTER_MS)
    return ended


@pytest.fixture
def emptied(module_settings: Settings) -> Stores:
    stores = Stores(module_settings)
    delete_all(stores)
    return stores


def of_today(ended: Ended) -> MoneyTotals:
    return totals_of(ended.services.stores, day_of(ended.record.ended_at_ms or 0))


def test_a_session_counts_on_the_day_of_its_end_and_what_is_new_later(ended: Ended) -> None:
    run, clock = ended.services.reconciliation.run, ended.services.clock
    before = of_today(ended)
    assert (before.sessions, before.payments) == (0, 1)
    served = Served(media_ms=8_000, media_bytes=1, segments=4, requests=1)
    usage = ended.services.stores.usage
    assert usage.add(ended.record.session_id, served, follower="gw", batch=1, now_ms=clock.now_ms())
    usage.mark("gw", clock.now_ms() + MS_PER_DAY)
    assert run().settled == 1
    counted = of_today(ended)
    assert (counted.sessions, counted.net_millipoints) == (1, 8_000)
    assert counted.ledger_millipoints == ended.services.balance(ended.playback.user_id) == 92_000
    # Nothing is due, and the same result again adds nothing.
    ended.services.stores.reconciliations.make_due(ended.record.session_id, clock.now_ms())
    for _ in range(2):
        run()
    assert of_today(ended) == counted
    # An adjustment of a later day counts on the day of the session.
    clock.advance(2 * MS_PER_DAY)
    ended.services.reconciliation.adjust(
        ended.record.session_id, millipoints=3_000, payment_id=new_session_id(), note="", by_user_id="u_admin"
    )
    assert of_today(ended) == counted
    run()
    assert of_today(ended) == replace(counted, adjustment_millipoints=3_000)
    assert totals_of(ended.services.stores, day_of(clock.now_ms())) == MoneyTotals()


@dataclass
class Market:
    """Users who pay and watch at random, over some days."""

    services: Services
    chance: random.Random
    users: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)

    def step(self) -> None:
        """Do something at random; it may be refused."""
        moves: list[Callable[[], object]] = [
            self.pay, self.remove, self.reverse, self.start, self.start, self.beat, self.beat, self.end, self.adjust,
            self.reconcile,
        ]  # fmt: skip
        self.services.clock.advance(self.chance.choice((0, 500, 1_000, 3_000, 6_000, 9_000, MS_PER_DAY // 7)))
        with suppress(DomainError):
            self.chance.choice(moves)()

    def pay(self) -> None:
        self.payments.append(new_session_id())
        self.services.credit(self._user(), self.chance.randrange(1, 60_000), self.payments[-1])

    def remove(self) -> None:
        user_id = self._user()
        most = self.services.balance(user_id)
        self.services.credit(user_id, -self.chance.randint(1, max(1, most)))

    def reverse(self) -> None:
        found = self.services.ledger.payment(self.chance.choice(self.payments))
        self.services.ledger.reverse(found, by_user_id="u_admin", note="")

    def start(self) -> None:
        self.services.open(self._user())

    def beat(self) -> None:
        user_id = self._user()
        for session in self.services.ledger.wallet(user_id).sessions.values():
            self.services.billing.heartbeat(user_id, session.session_id, session.seq + 1)

    def end(self) -> None:
        user_id = self._user()
        reason = self.chance.choice((EndReason.VIEWER_STOPPED, EndReason.VIEWER_STOPPED, EndReason.KICKED))
        for session in list(self.services.ledger.wallet(user_id).sessions.values())[:1]:
            self.services.billing.end(user_id, session.session_id, reason)
            served = Served(media_ms=self.chance.randrange(1, 40_000), media_bytes=1, segments=3, requests=3)
            now_ms = self.services.clock.now_ms()
            self.services.stores.usage.add(session.session_id, served, follower="gw", batch=1, now_ms=now_ms)

    def adjust(self) -> None:
        sessions = self.services.stores.sessions.by_user(self._user(), limit=20, cursor=None).items
        record = self.chance.choice([each for each in sessions if not each.active] or [None])
        if record is not None:
            most = max(1, record.adjustable_millipoints[1])
            self.services.reconciliation.adjust(
                record.session_id,
                millipoints=self.chance.randint(1, most),
                payment_id=new_session_id(),
                note="",
                by_user_id="u_admin",
            )

    def reconcile(self) -> None:
        self.services.stores.usage.mark("gw", self.services.clock.now_ms() + 1)
        self.services.reconciliation.run()

    def active_millipoints(self) -> int:
        """What active sessions have paid, with the debt that their starts paid."""
        paid = 0
        for user_id in self.users:
            for session in self.services.ledger.wallet(user_id).sessions.values():
                record = self.services.stores.sessions.get(session.session_id)
                assert record is not None
                paid += session.charged_millipoints + record.debt_payment_millipoints
        return paid

    def ledgers(self) -> int:
        return sum(self.services.ledger_sum(user_id) for user_id in self.users)

    def totals(self) -> TotalsOfRange:
        from_day, to_day = day_of(self.services.clock.now_ms() - 60 * MS_PER_DAY), None
        return self.services.totals.of_range(Step.DAY, from_day, to_day)

    def _user(self) -> str:
        return self.chance.choice(self.users)


def test_the_totals_of_all_days_and_active_sessions_are_the_sum_of_all_ledgers(emptied: Stores) -> None:
    seed = random.randrange(2**32)
    services = with_rules(emptied)
    market = Market(services, random.Random(seed))
    market.users = [services.viewer(0) for _ in range(4)]
    for _ in range(4):
        market.pay()
    for _ in range(110):
        market.step()
    # Some sessions are active while all others are settled.
    with suppress(DomainError):
        market.pay()
        market.start()
    services.clock.advance(2 * RECONCILE_AFTER_MS)
    for _ in range(2):
        market.reconcile()
        services.clock.advance(2 * RECONCILE_AFTER_MS)
    found = market.totals()
    assert found.total.ledger_millipoints - market.active_millipoints() == market.ledgers(), f"seed {seed}"
    records = [
        each for user_id in market.users for each in all_items(services.stores.sessions.by_user, user_id, limit=50)
    ]
    assert found.total.sessions == sum(not each.active for each in records), f"seed {seed}"
    assert sum(period.totals.sessions > 0 or period.totals.payments > 0 for period in found.periods) > 1
    by_month = services.totals.of_range(Step.MONTH, found.from_day, found.to_day)
    assert by_month.total == found.total, f"seed {seed}"
