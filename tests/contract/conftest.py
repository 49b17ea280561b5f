"""The same suite over the fakes and over the adapters on the emulator: what one promises, the other keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.adapters.money.dynamodb_ledger import DynamoLedger, DynamoPayments
from chalicelib.adapters.money.dynamodb_sessions import DynamoPlaybackSessions
from chalicelib.adapters.money.dynamodb_wallets import DynamoWallets
from chalicelib.config import Settings
from chalicelib.ports.money import Ledger, Payments, PlaybackSessions, Wallets
from tests.fakes.money.ledger import MemoryLedger, MemoryPayments
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.wallets import MemoryStore, MemoryWallets


@dataclass(frozen=True)
class MoneyStores:
    """The stores of billing."""

    wallets: Wallets
    ledger: Ledger
    payments: Payments
    sessions: PlaybackSessions


def in_memory(store: MemoryStore) -> MoneyStores:
    return MoneyStores(MemoryWallets(store), MemoryLedger(store), MemoryPayments(store), MemoryPlaybackSessions(store))


def in_dynamodb(prefix: str) -> MoneyStores:
    return MoneyStores(
        DynamoWallets(prefix), DynamoLedger(prefix), DynamoPayments(prefix), DynamoPlaybackSessions(prefix)
    )


def all_items(page: Callable[[str | None], Any]) -> list[Any]:
    """Return the items of all pages; `page` gets a cursor."""
    items, cursor = [], None
    while True:
        found = page(cursor)
        items += found.items
        cursor = found.next_cursor
        if cursor is None:
            return items


@pytest.fixture(params=["memory", "aws"])
def stage(request: pytest.FixtureRequest) -> Settings | None:
    """A new stage of the emulator for the adapter, None for the fake."""
    return None if request.param == "memory" else request.getfixturevalue("settings")


@pytest.fixture(params=["memory", "aws"])
def shared_stage(request: pytest.FixtureRequest) -> Settings | None:
    """The same, for tests whose rows have names of their own."""
    return None if request.param == "memory" else request.getfixturevalue("module_settings")


@pytest.fixture
def money(shared_stage: Settings | None) -> MoneyStores:
    return in_dynamodb(shared_stage.table_prefix) if shared_stage else in_memory(MemoryStore())
