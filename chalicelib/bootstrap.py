"""Composition root: builds services from adapters, each once and at first use."""

from __future__ import annotations

from functools import cache, cached_property, partial

from chalicelib import config
from chalicelib.adapters.access.dynamodb_limits import DynamoLimits
from chalicelib.adapters.money.dynamodb_ledger import DynamoLedger, DynamoPayments
from chalicelib.adapters.money.dynamodb_reconciliation import DynamoReconciliations
from chalicelib.adapters.operations.dynamodb_audit import DynamoAuditLog
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.domain.streams.source_urls import check_source_url
from chalicelib.observability import report_error
from chalicelib.services.access.access import Access
from chalicelib.services.access.auth import Auth
from chalicelib.services.access.binding import Binding
from chalicelib.services.access.limiter import Limiter
from chalicelib.services.access.playback import Playback
from chalicelib.services.access.reaper import Reaper
from chalicelib.services.accounts.accounts import Accounts
from chalicelib.services.accounts.credentials import Credentials
from chalicelib.services.accounts.erasure import Erasure
from chalicelib.services.money.billing import Billing
from chalicelib.services.money.delivery import Delivery
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.reconciliation import Reconciliation
from chalicelib.services.money.session_opener import SessionOpener
from chalicelib.services.money.statements import Statements
from chalicelib.services.operations.audit import Audit
from chalicelib.services.operations.monitoring import Monitoring
from chalicelib.services.operations.workers import WorkersService
from chalicelib.services.streams.controller import Controller
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from chalicelib.services.streams.run_logs import RunLogsService
from chalicelib.services.streams.streams import StreamsService
from chalicelib.stores import Stores


class Container(Stores):
    """Everything that functions, gateway endpoints and workers need."""

    @cached_property
    def delivery(self) -> Delivery:
        """The service for delivery status."""
        return Delivery(self.stream_table, self.runtimes, self.clock)

    @cached_property
    def ledger(self) -> LedgerService:
        """The service for wallets, payments and ledgers."""
        table_prefix = self.settings.table_prefix
        return LedgerService(self.wallets, DynamoLedger(table_prefix), DynamoPayments(table_prefix), self.clock)

    @cached_property
    def statements(self) -> Statements:
        """The service for statements."""
        return Statements(self.ledger, DynamoLedger(self.settings.table_prefix), self.clock)

    @cached_property
    def billing(self) -> Billing:
        """The service that sells watching time."""
        return Billing(
            wallets=self.wallets,
            sessions=self.sessions,
            ledger=self.ledger,
            delivery=self.delivery,
            denylist=self.denylist,
            counters=self.counters,
            clock=self.clock,
        )

    @cached_property
    def session_opener(self) -> SessionOpener:
        """The service that opens sessions."""
        return SessionOpener(
            wallets=self.wallets,
            sessions=self.sessions,
            ledger=self.ledger,
            billing=self.billing,
            delivery=self.delivery,
            counters=self.counters,
            clock=self.clock,
            sessions_per_user_max=self.settings.sessions_per_user_max,
        )

    @cached_property
    def access(self) -> Access:
        """The access rule."""
        return Access(
            tokens=self.tokens,
            wallets=self.wallets,
            sessions=self.sessions,
            delivery=self.delivery,
            binding=Binding(self.clients, self.clock),
            clock=self.clock,
        )

    @cached_property
    def playback(self) -> Playback:
        """The service for playback sessions."""
        return Playback(
            billing=self.billing,
            session_opener=self.session_opener,
            limiter=self.limiter,
            users=self.users,
            wallets=self.wallets,
            streams=self.stream_table,
            sessions=self.sessions,
            delivery=self.delivery,
            clients=self.clients,
            audit=self.audit,
            clock=self.clock,
        )

    @cached_property
    def reaper(self) -> Reaper:
        """The service that ends expired sessions."""
        return Reaper(billing=self.billing, wallets=self.wallets, sessions=self.sessions, clock=self.clock)

    @cached_property
    def limiter(self) -> Limiter:
        """The service for rate limits."""
        limits = DynamoLimits(self.settings.table_prefix)
        return Limiter(limits=limits, allowances=self.settings.allowances, clock=self.clock)

    @cached_property
    def auth(self) -> Auth:
        """The service for logins and tokens."""
        return Auth(
            users=self.users,
            passwords=self.passwords,
            tokens=self.tokens,
            limiter=self.limiter,
            counters=self.counters,
            clock=self.clock,
        )

    @cached_property
    def credentials(self) -> Credentials:
        """The service for a user's own credentials."""
        return Credentials(auth=self.auth, users=self.users, passwords=self.passwords, billing=self.billing)

    @cached_property
    def accounts(self) -> Accounts:
        """The service for accounts."""
        return Accounts(
            users=self.users,
            wallets=self.wallets,
            passwords=self.passwords,
            billing=self.billing,
            audit=self.audit,
            clock=self.clock,
        )

    @cached_property
    def erasure(self) -> Erasure:
        """The service for erasing people."""
        return Erasure(users=self.users, billing=self.billing, clients=self.clients, audit=self.audit, clock=self.clock)

    @cached_property
    def audit(self) -> Audit:
        """The service for the audit log."""
        return Audit(
            log=DynamoAuditLog(self.settings.table_prefix),
            clients=self.clients,
            counters=self.counters,
            clock=self.clock,
            report=report_error,
        )

    @cached_property
    def workers(self) -> WorkersService:
        """The service for present workers."""
        return WorkersService(DynamoWorkers(self.settings.table_prefix), self.clock)

    @cached_property
    def controller(self) -> Controller:
        """The service that reconciles desired and real state."""
        return Controller(
            streams=self.stream_table,
            runtimes=self.runtimes,
            sessions=self.sessions,
            queue=self.queue,
            billing=self.billing,
            workers=self.workers,
            denylist=self.denylist,
            clock=self.clock,
        )

    @cached_property
    def streams(self) -> StreamsService:
        """The service for streams."""
        return StreamsService(
            streams=self.stream_table,
            runtimes=self.runtimes,
            sessions=self.sessions,
            controller=self.controller,
            audit=self.audit,
            clock=self.clock,
            # Only nginx knows the clients of media requests, and it is there if its denylist is.
            sees_clients=self.settings.denylist_dir is not None,
            check_source=partial(
                check_source_url, ports=self.settings.ingest_ports, networks=self.settings.ingest_networks
            ),
        )

    @cached_property
    def run_logs(self) -> RunLogsService:
        """The service for encoder logs."""
        return RunLogsService(self.streams, self.media)

    @cached_property
    def ingest_refusals(self) -> IngestRefusals:
        """The service for rejected senders."""
        return IngestRefusals(self.media, self.clock)

    @cached_property
    def reconciliation(self) -> Reconciliation:
        """The service for reconciliation."""
        return Reconciliation(
            table=DynamoReconciliations(self.settings.table_prefix),
            sessions=self.sessions,
            ledger=self.ledger,
            statements=self.statements,
            usage=self.usage,
            clock=self.clock,
        )

    @cached_property
    def monitoring(self) -> Monitoring:
        """The service for metrics."""
        return Monitoring(counters=self.counters, sessions=self.sessions, usage=self.usage, clock=self.clock)


@cache
def container() -> Container:
    """Return the process's container, from the environment. Raise `ConfigError`."""
    return Container(config.load())
