"""Interfaces to everything outside the services. Adapters implement them; unit tests use the fakes in `tests/fakes`.

All times are milliseconds of the server's clock, all amounts integer millipoints. Adapters raise only what is named
here or in `domain/errors.py`, and `StoreUnavailable` if a store does not answer in time.
"""

from chalicelib.ports.audit import AuditLog
from chalicelib.ports.clients import Clients
from chalicelib.ports.common import Clock, ListPage, RowRefused, StoreUnavailable
from chalicelib.ports.counters import Counters
from chalicelib.ports.identity import PasswordHasher, Tokens, Users
from chalicelib.ports.keys import KeyStore
from chalicelib.ports.limits import Limits
from chalicelib.ports.media import Denylist, EtagMismatch, MediaStore, StoredObject
from chalicelib.ports.money import (
    BeyondCost,
    Ledger,
    NoPlace,
    OnTimeBeat,
    Payments,
    PlaybackSessions,
    WalletRefused,
    Wallets,
)
from chalicelib.ports.reconciliation import Due, Reconciliations
from chalicelib.ports.streams import Hint, Runtimes, Streams, WorkQueue
from chalicelib.ports.usage import Usage
from chalicelib.ports.workers import Workers

__all__ = [
    "AuditLog",
    "BeyondCost",
    "Clients",
    "Clock",
    "Counters",
    "Denylist",
    "Due",
    "EtagMismatch",
    "Hint",
    "KeyStore",
    "Ledger",
    "Limits",
    "ListPage",
    "MediaStore",
    "NoPlace",
    "OnTimeBeat",
    "PasswordHasher",
    "Payments",
    "PlaybackSessions",
    "Reconciliations",
    "RowRefused",
    "Runtimes",
    "StoreUnavailable",
    "StoredObject",
    "Streams",
    "Tokens",
    "Usage",
    "Users",
    "WalletRefused",
    "Wallets",
    "WorkQueue",
    "Workers",
]
