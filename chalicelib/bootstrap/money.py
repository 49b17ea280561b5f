"""The services of money: selling, ledger, settlement, reconciliation."""

from __future__ import annotations

from functools import cached_property

from chalicelib.bootstrap.stage import Stage
from chalicelib.domain.money.points import MILLIPOINTS_PER_POINT
from chalicelib.services.money.billing import Billing
from chalicelib.services.money.delivery_cache import DeliveryCache
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.metering import Metering
from chalicelib.services.money.payments import PaymentsService
from chalicelib.services.money.reconciliation import Reconciliation
from chalicelib.services.money.session_opener import SessionOpener
from chalicelib.services.money.settlements import CreditRules, Settlements
from chalicelib.services.money.statements import Statements
from chalicelib.services.money.totals import TotalsService


class MoneyServices(Stage):
    """The services of money: selling, ledger, settlement, reconciliation."""

    @cached_property
    def delivery(self) -> DeliveryCache:
        return DeliveryCache(self.stores.streams, self.stores.runtimes, self.stores.clock)

    @cached_property
    def ledger(self) -> LedgerService:
        stores = self.stores
        return LedgerService(stores.wallets, stores.ledger, stores.payments, stores.clock)

    @cached_property
    def statements(self) -> Statements:
        return Statements(self.ledger, self.stores.ledger, self.stores.clock)

    @cached_property
    def billing(self) -> Billing:
        return Billing(
            wallets=self.stores.wallets,
            sessions=self.stores.sessions,
            ledger=self.ledger,
            delivery=self.delivery,
            metering=Metering(self.stores.usage, self.stores.clock),
            denylist=self.stores.denylist,
            counters=self.stores.counters,
            clock=self.stores.clock,
        )

    @cached_property
    def session_opener(self) -> SessionOpener:
        return SessionOpener(
            wallets=self.stores.wallets,
            sessions=self.stores.sessions,
            ledger=self.ledger,
            billing=self.billing,
            delivery=self.delivery,
            counters=self.stores.counters,
            clock=self.stores.clock,
            sessions_per_user_max=self.settings.sessions_per_user_max,
        )

    @cached_property
    def settlements(self) -> Settlements:
        settings = self.settings
        return Settlements(
            wallets=self.stores.wallets,
            sessions=self.stores.sessions,
            ledger=self.ledger,
            counters=self.stores.counters,
            clock=self.stores.clock,
            rules=CreditRules(
                credits=settings.settlement_credits,
                per_day_millipoints=settings.settlement_credits_per_day * MILLIPOINTS_PER_POINT,
            ),
        )

    @cached_property
    def reconciliation(self) -> Reconciliation:
        return Reconciliation(
            table=self.stores.reconciliations,
            sessions=self.stores.sessions,
            ledger=self.ledger,
            statements=self.statements,
            settlements=self.settlements,
            usage=self.stores.usage,
            counters=self.stores.counters,
            clock=self.stores.clock,
        )

    @cached_property
    def payments(self) -> PaymentsService:
        return PaymentsService(
            ledger=self.ledger,
            lists=self.stores.payment_lists,
            reconciliation=self.reconciliation,
            sessions=self.stores.sessions,
            users=self.stores.users,
            audit=self.audit,
            clock=self.stores.clock,
        )

    @cached_property
    def totals(self) -> TotalsService:
        return TotalsService(self.stores.totals, self.stores.clock)
