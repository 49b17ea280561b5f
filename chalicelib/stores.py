"""The adapters of a stage, each created once and at first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib import config
from chalicelib.adapters.access.dynamodb_blocks import DynamoBlocks
from chalicelib.adapters.access.dynamodb_clients import DynamoClients
from chalicelib.adapters.access.dynamodb_limits import DynamoLimits
from chalicelib.adapters.access.dynamodb_service_keys import DynamoServiceKeys
from chalicelib.adapters.access.edge_keys import EdgeKeyStore
from chalicelib.adapters.access.file_denylist import FileDenylist
from chalicelib.adapters.access.jwt_tokens import JwtTokens
from chalicelib.adapters.access.keyvalue_denylist import KeyValueDenylist
from chalicelib.adapters.access.keyvalue_store import KeyValueStore
from chalicelib.adapters.access.no_denylist import NoDenylist
from chalicelib.adapters.access.secret_keys import SecretKeyStore
from chalicelib.adapters.accounts.dynamodb_users import DynamoUsers
from chalicelib.adapters.accounts.passwords import Argon2Passwords
from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.money.dynamodb_ledger import DynamoLedger, DynamoPayments
from chalicelib.adapters.money.dynamodb_payment_lists import DynamoPaymentLists
from chalicelib.adapters.money.dynamodb_reconciliation import DynamoReconciliations
from chalicelib.adapters.money.dynamodb_session_lists import DynamoSessionLists
from chalicelib.adapters.money.dynamodb_sessions import DynamoPlaybackSessions
from chalicelib.adapters.money.dynamodb_totals import DynamoTotalsByDay
from chalicelib.adapters.money.dynamodb_usage import DynamoUsage
from chalicelib.adapters.money.dynamodb_wallets import DynamoWallets
from chalicelib.adapters.operations.dynamodb_audit import DynamoAuditLog
from chalicelib.adapters.operations.dynamodb_canary_runs import DynamoCanaryRuns
from chalicelib.adapters.operations.dynamodb_counters import DynamoCounters
from chalicelib.adapters.operations.dynamodb_errors import DynamoErrors
from chalicelib.adapters.operations.dynamodb_labels import DynamoLabels
from chalicelib.adapters.operations.dynamodb_series import DynamoSeries
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.adapters.streams.dynamodb_ingest_issues import DynamoIngestIssues
from chalicelib.adapters.streams.dynamodb_runtimes import DynamoRuntimes
from chalicelib.adapters.streams.dynamodb_streams import DynamoStreams
from chalicelib.adapters.streams.s3_media import S3Media
from chalicelib.adapters.streams.sqs_work import SqsWorkQueue
from chalicelib.domain.operations.totals import embedded_of
from chalicelib.observability import emit_metrics

if TYPE_CHECKING:
    from chalicelib.ports.access.keys import KeyStore
    from chalicelib.ports.common import Clock
    from chalicelib.ports.streams.media import Denylist


class Stores:
    """The stores of a stage, each named after its port."""

    def __init__(self, settings: config.Settings) -> None:
        self.settings = settings
        self._prefix = settings.table_prefix

    clock: cached_property[Clock] = cached_property(lambda self: SystemClock())
    wallets = cached_property(lambda self: DynamoWallets(self._prefix))
    ledger = cached_property(lambda self: DynamoLedger(self._prefix))
    payments = cached_property(lambda self: DynamoPayments(self._prefix))
    sessions = cached_property(lambda self: DynamoPlaybackSessions(self._prefix))
    payment_lists = cached_property(lambda self: DynamoPaymentLists(self._prefix))
    session_lists = cached_property(lambda self: DynamoSessionLists(self._prefix))
    reconciliations = cached_property(lambda self: DynamoReconciliations(self._prefix))
    totals = cached_property(lambda self: DynamoTotalsByDay(self._prefix))
    usage = cached_property(lambda self: DynamoUsage(self._prefix))
    clients = cached_property(lambda self: DynamoClients(self._prefix, self.settings.address_days))
    blocks = cached_property(lambda self: DynamoBlocks(self._prefix))
    service_keys = cached_property(lambda self: DynamoServiceKeys(self._prefix))
    limits = cached_property(lambda self: DynamoLimits(self._prefix))
    streams = cached_property(lambda self: DynamoStreams(self._prefix))
    runtimes = cached_property(lambda self: DynamoRuntimes(self._prefix))
    ingest_issues = cached_property(lambda self: DynamoIngestIssues(self._prefix))
    media = cached_property(lambda self: S3Media(self.settings.media_bucket))
    queue = cached_property(lambda self: SqsWorkQueue(self.settings.work_queue))
    users = cached_property(lambda self: DynamoUsers(self._prefix))
    passwords = cached_property(lambda self: Argon2Passwords())
    tokens = cached_property(lambda self: JwtTokens(lambda: SecretKeyStore(self.settings.token_secret).read()[0]))
    audit_log = cached_property(lambda self: DynamoAuditLog(self._prefix))
    series = cached_property(lambda self: DynamoSeries(self._prefix))
    canary_runs = cached_property(lambda self: DynamoCanaryRuns(self._prefix))
    errors = cached_property(lambda self: DynamoErrors(self._prefix, self.clock))
    labels = cached_property(lambda self: DynamoLabels(self._prefix))
    workers = cached_property(lambda self: DynamoWorkers(self._prefix))

    @cached_property
    def counters(self) -> DynamoCounters:
        """The counters. Where that is set, what they write also goes to the log as metrics."""

        def emit(counts: Mapping[str, int]) -> None:
            if self.settings.embedded_metrics:
                emit_metrics(self.settings.stage, embedded_of(counts))

        return DynamoCounters(self._prefix, self.clock, emit)

    @cached_property
    def token_keys(self) -> KeyStore:
        """The keys of all tokens. CloudFront's edges, where there are any, have the play keys as well."""
        keys, store = SecretKeyStore(self.settings.token_secret), config.store_at_edges(self.settings)
        return EdgeKeyStore(keys, KeyValueStore(store)) if store else keys

    @cached_property
    def denylist(self) -> Denylist:
        """Files beside the gateway, or keys at CloudFront's edges, where that is set."""
        if self.settings.denylist_dir:
            return FileDenylist(self.settings.denylist_dir)
        store = config.store_at_edges(self.settings)
        return KeyValueDenylist(KeyValueStore(store)) if store else NoDenylist()
