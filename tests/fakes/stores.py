"""All stores of a stage in memory, and the services over them."""

from typing import Any

from chalicelib.adapters.access.jwt_tokens import JwtTokens
from chalicelib.bootstrap import Container
from chalicelib.config import Settings, load
from chalicelib.domain.access.key_sets import first_key_sets
from chalicelib.services.access.key_rotation import new_key
from chalicelib.stores import Stores
from tests.fakes.access.blocks import MemoryBlocks
from tests.fakes.access.clients import MemoryClients
from tests.fakes.access.denylist import FakeDenylist
from tests.fakes.access.keys import MemoryKeyStore
from tests.fakes.access.limits import MemoryLimits
from tests.fakes.access.service_keys import MemoryServiceKeys
from tests.fakes.accounts.identity import CountingPasswords, MemoryUsers
from tests.fakes.money.ledger import MemoryLedger, MemoryPayments, MemoryTotalsByDay
from tests.fakes.money.lists import MemoryPaymentLists, MemorySessionLists
from tests.fakes.money.reconciliations import MemoryCutOffs
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.usage import MemoryUsage
from tests.fakes.money.wallets import MemoryStore, MemoryWallets
from tests.fakes.operations.audit import MemoryAuditLog
from tests.fakes.operations.canary_runs import MemoryCanaryRuns
from tests.fakes.operations.errors import MemoryErrors
from tests.fakes.operations.labels import MemoryLabels
from tests.fakes.operations.series import MemorySeries
from tests.fakes.operations.workers import MemoryWorkers
from tests.fakes.simple import MemoryCounters, SetClock
from tests.fakes.streams.ingest_issues import MemoryIngestIssues
from tests.fakes.streams.media import MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fakes.streams.streams import MemoryStreams
from tests.fakes.streams.work_queue import MemoryWorkQueue
from tests.fixtures.settings import service_environment


def memory_stores(settings: Settings | None = None) -> Stores:
    """Return stores in memory under the names of `Stores`, with no more of reconciliations than lists read.

    `rows` are the tables of wallets and sessions.
    """
    stores: Any = Stores(settings or load(service_environment("memory")))
    stores.rows = rows = MemoryStore()
    stores.clock = SetClock()
    stores.wallets, stores.sessions = MemoryWallets(rows), MemoryPlaybackSessions(rows)
    stores.session_lists, stores.payment_lists = MemorySessionLists(rows), MemoryPaymentLists(rows)
    stores.ledger, stores.payments = MemoryLedger(rows), MemoryPayments(rows)
    stores.totals = MemoryTotalsByDay(rows)
    stores.usage, stores.limits, stores.reconciliations = MemoryUsage(), MemoryLimits(), MemoryCutOffs()
    stores.clients, stores.users, stores.passwords = MemoryClients(), MemoryUsers(), CountingPasswords()
    stores.service_keys, stores.blocks = MemoryServiceKeys(), MemoryBlocks()
    stores.token_keys = MemoryKeyStore(first_key_sets(new_key, 0))
    stores.tokens = JwtTokens(lambda: stores.token_keys.sets)
    stores.streams, stores.runtimes, stores.workers = MemoryStreams(), MemoryRuntimes(), MemoryWorkers()
    stores.ingest_issues = MemoryIngestIssues()
    stores.labels = MemoryLabels(stores.users, stores.streams)
    stores.media, stores.queue = MemoryMedia(), MemoryWorkQueue()
    stores.denylist, stores.counters, stores.audit_log = FakeDenylist(), MemoryCounters(), MemoryAuditLog()
    stores.series, stores.canary_runs = MemorySeries(), MemoryCanaryRuns()
    stores.errors = MemoryErrors(stores.clock)
    return stores


def memory_services(**environ: str) -> Container:
    """Return the services of the product over stores in memory. `environ` overrides variables of the stage."""
    services: Any = Container(load({**service_environment("memory"), **environ}))
    services.stores = memory_stores(services.settings)
    return services
