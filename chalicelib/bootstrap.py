"""Composition root: builds the services from the stores, each once and at first use."""

from __future__ import annotations

from functools import cache, cached_property, partial

from chalicelib import config
from chalicelib.domain.money.points import MILLIPOINTS_PER_POINT
from chalicelib.domain.streams.source_urls import check_source_url
from chalicelib.observability import report_error
from chalicelib.services.access.access import Access
from chalicelib.services.access.auth import Auth
from chalicelib.services.access.binding import Binding
from chalicelib.services.access.key_rotation import KeyRotation
from chalicelib.services.access.limiter import Limiter
from chalicelib.services.access.playback import Playback
from chalicelib.services.access.reaper import Reaper
from chalicelib.services.access.service_keys import ServiceKeys
from chalicelib.services.accounts.accounts import Accounts
from chalicelib.services.accounts.chargebacks import Chargebacks
from chalicelib.services.accounts.credentials import Credentials
from chalicelib.services.accounts.erasure import Erasure
from chalicelib.services.money.billing import Billing
from chalicelib.services.money.delivery_cache import DeliveryCache
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.metering import Metering
from chalicelib.services.money.payments import PaymentsService
from chalicelib.services.money.reconciliation import Reconciliation
from chalicelib.services.money.session_opener import SessionOpener
from chalicelib.services.money.settlements import CreditRules, Settlements
from chalicelib.services.money.statements import Statements
from chalicelib.services.operations.audit import Audit
from chalicelib.services.operations.monitoring import Monitoring
from chalicelib.services.operations.workers import WorkersService
from chalicelib.services.streams.controller import Controller
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from chalicelib.services.streams.run_logs import RunLogsService
from chalicelib.services.streams.streams import StreamsService
from chalicelib.stores import Stores


class Container:
    """The services of a stage. Views use services only; `stores` is for programs that need no service."""

    def __init__(self, settings: config.Settings) -> None:
        self.settings = settings
        self.stores = Stores(settings)

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
    def access(self) -> Access:
        return Access(
            tokens=self.stores.tokens,
            wallets=self.stores.wallets,
            sessions=self.stores.sessions,
            delivery=self.delivery,
            binding=Binding(self.stores.clients, self.stores.clock),
            clock=self.stores.clock,
        )

    @cached_property
    def playback(self) -> Playback:
        return Playback(
            billing=self.billing,
            session_opener=self.session_opener,
            limiter=self.limiter,
            users=self.stores.users,
            wallets=self.stores.wallets,
            streams=self.stores.streams,
            sessions=self.stores.sessions,
            session_lists=self.stores.session_lists,
            delivery=self.delivery,
            clients=self.stores.clients,
            audit=self.audit,
            clock=self.stores.clock,
        )

    @cached_property
    def reaper(self) -> Reaper:
        stores = self.stores
        return Reaper(billing=self.billing, wallets=stores.wallets, sessions=stores.sessions, clock=stores.clock)

    @cached_property
    def limiter(self) -> Limiter:
        return Limiter(limits=self.stores.limits, allowances=self.settings.allowances, clock=self.stores.clock)

    @cached_property
    def auth(self) -> Auth:
        return Auth(
            users=self.stores.users,
            passwords=self.stores.passwords,
            tokens=self.stores.tokens,
            limiter=self.limiter,
            counters=self.stores.counters,
            clock=self.stores.clock,
        )

    @cached_property
    def credentials(self) -> Credentials:
        stores = self.stores
        return Credentials(auth=self.auth, users=stores.users, passwords=stores.passwords, billing=self.billing)

    @cached_property
    def key_rotation(self) -> KeyRotation:
        return KeyRotation(self.stores.token_keys, self.stores.clock)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(
            users=self.stores.users,
            wallets=self.stores.wallets,
            passwords=self.stores.passwords,
            billing=self.billing,
            audit=self.audit,
            clock=self.stores.clock,
        )

    @cached_property
    def erasure(self) -> Erasure:
        stores = self.stores
        return Erasure(
            users=stores.users,
            wallets=stores.wallets,
            billing=self.billing,
            clients=stores.clients,
            audit=self.audit,
            clock=stores.clock,
        )

    @cached_property
    def audit(self) -> Audit:
        return Audit(
            log=self.stores.audit_log,
            clients=self.stores.clients,
            counters=self.stores.counters,
            clock=self.stores.clock,
            report=report_error,
        )

    @cached_property
    def workers(self) -> WorkersService:
        return WorkersService(self.stores.workers, self.stores.clock)

    @cached_property
    def controller(self) -> Controller:
        return Controller(
            streams=self.stores.streams,
            runtimes=self.stores.runtimes,
            sessions=self.stores.sessions,
            queue=self.stores.queue,
            billing=self.billing,
            workers=self.workers,
            denylist=self.stores.denylist,
            clock=self.stores.clock,
        )

    @cached_property
    def streams(self) -> StreamsService:
        return StreamsService(
            streams=self.stores.streams,
            runtimes=self.stores.runtimes,
            sessions=self.stores.sessions,
            controller=self.controller,
            audit=self.audit,
            clock=self.stores.clock,
            # Only nginx knows the clients of media requests, and it is there if its denylist is.
            sees_clients=self.settings.denylist_dir is not None,
            check_source=partial(
                check_source_url, ports=self.settings.ingest_ports, networks=self.settings.ingest_networks
            ),
        )

    @cached_property
    def run_logs(self) -> RunLogsService:
        return RunLogsService(self.streams, self.stores.media)

    @cached_property
    def ingest_refusals(self) -> IngestRefusals:
        return IngestRefusals(self.stores.media, self.stores.clock)

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
    def chargebacks(self) -> Chargebacks:
        return Chargebacks(ledger=self.ledger, users=self.stores.users, accounts=self.accounts, audit=self.audit)

    @cached_property
    def service_keys(self) -> ServiceKeys:
        return ServiceKeys(store=self.stores.service_keys, audit=self.audit, clock=self.stores.clock)

    @cached_property
    def monitoring(self) -> Monitoring:
        return Monitoring(
            streams=self.stores.streams,
            media=self.stores.media,
            counters=self.stores.counters,
            sessions=self.stores.sessions,
            usage=self.stores.usage,
            clock=self.stores.clock,
        )


@cache
def container() -> Container:
    """Return the process's container, from the environment. Raise `ConfigError`."""
    return Container(config.load())
