"""The services of the app over the stores in memory of `tests/fakes`."""

import base64
import json
import time
from typing import Any

import pytest

from chalicelib import bootstrap, config
from tests.fakes.access.clients import MemoryClients
from tests.fakes.access.denylist import FakeDenylist
from tests.fakes.access.limits import MemoryLimits
from tests.fakes.accounts.identity import CountingPasswords, MemoryUsers
from tests.fakes.money.ledger import MemoryLedger, MemoryPayments
from tests.fakes.money.reconciliation import MemoryReconciliations
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.usage import MemoryUsage
from tests.fakes.money.wallets import MemoryStore, MemoryWallets
from tests.fakes.operations.audit import MemoryAuditLog
from tests.fakes.operations.workers import MemoryWorkers
from tests.fakes.simple import MemoryCounters
from tests.fakes.streams.media import MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fakes.streams.streams import MemoryStreams
from tests.fakes.streams.work_queue import MemoryWorkQueue
from tests.fixtures.settings import service_environment

ENVIRONMENT = {
    **service_environment("test"),
    "TOLLCAST_START_LIMIT": "",
    "TOLLCAST_LOGIN_ADDRESS_LIMIT": "",
    "TOLLCAST_DENYLIST_DIR": "/dev/null",  # set, since only such a gateway sees the addresses of clients
}
KEY_SET = {"current": "k1", "keys": {"k1": base64.b64encode(b"key" * 11).decode()}}
TOKEN_SECRET = json.dumps(dict.fromkeys(("access", "refresh", "play"), KEY_SET))


class MovableClock:
    """The real time, and a shift that tests add to."""

    def __init__(self) -> None:
        self.shift_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.shift_ms


def build_services(patch: pytest.MonkeyPatch, store: MemoryStore) -> bootstrap.Container:
    """Return the container that the app uses, with every adapter replaced that needs AWS, and a movable clock."""
    settings = config.load(ENVIRONMENT)
    patch.setattr(bootstrap.config, "load", lambda: settings)
    patch.setattr("chalicelib.stores.secret_from_aws", lambda secret_id: TOKEN_SECRET)
    bootstrap.container.cache_clear()
    services = bootstrap.container()
    stores: Any = services.stores
    stores.clock = MovableClock()
    stores.wallets, stores.sessions = MemoryWallets(store), MemoryPlaybackSessions(store)
    stores.ledger, stores.payments = MemoryLedger(store), MemoryPayments(store)
    stores.reconciliations, stores.usage, stores.limits = MemoryReconciliations(store), MemoryUsage(), MemoryLimits()
    stores.clients, stores.users, stores.passwords = MemoryClients(), MemoryUsers(), CountingPasswords()
    stores.streams, stores.runtimes, stores.workers = MemoryStreams(), MemoryRuntimes(), MemoryWorkers()
    stores.media, stores.queue = MemoryMedia(), MemoryWorkQueue()
    stores.denylist, stores.counters, stores.audit_log = FakeDenylist(), MemoryCounters(), MemoryAuditLog()
    return services


def drop_services() -> None:
    """Let the app build its container from the environment again."""
    bootstrap.container.cache_clear()
