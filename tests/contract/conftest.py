"""The same suite over the fakes and over the adapters on the emulator: what one promises, the other keeps."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

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


@pytest.fixture(params=["memory", "dynamodb"])
def money(request: pytest.FixtureRequest) -> Iterator[MoneyStores]:
    if request.param == "memory":
        store = MemoryStore()
        yield MoneyStores(
            MemoryWallets(store), MemoryLedger(store), MemoryPayments(store), MemoryPlaybackSessions(store)
        )
        return
    from chalicelib.adapters.money.dynamodb_ledger import DynamoLedger, DynamoPayments
    from chalicelib.adapters.money.dynamodb_sessions import DynamoPlaybackSessions
    from chalicelib.adapters.money.dynamodb_wallets import DynamoWallets

    prefix = request.getfixturevalue("module_settings").table_prefix
    yield MoneyStores(
        DynamoWallets(prefix), DynamoLedger(prefix), DynamoPayments(prefix), DynamoPlaybackSessions(prefix)
    )
