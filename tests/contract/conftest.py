"""The same suite over the stores in memory and the adapters on the emulator: what one promises, the other keeps."""

from collections.abc import Iterator

import pytest

from chalicelib.adapters.aws import client
from chalicelib.stores import Stores
from infra.schema import TABLES
from tests.contract.money.billing_services import Services
from tests.fakes.stores import memory_stores


@pytest.fixture(params=["memory", "aws"])
def money(request: pytest.FixtureRequest) -> Stores:
    """The stores of a stage that the tests of a module share, for rows with names of their own."""
    return memory_stores() if request.param == "memory" else Stores(request.getfixturevalue("module_settings"))


@pytest.fixture
def stores(money: Stores, request: pytest.FixtureRequest) -> Iterator[Stores]:
    """The same, without rows and objects of other tests."""
    yield money
    if "module_settings" in request.fixturenames:
        delete_all(money)


def delete_all(stores: Stores) -> None:
    """Delete all rows and objects of a stage."""
    dynamodb = client("dynamodb")
    for name, (hash_key, range_key, _, _) in TABLES.items():
        table = stores.settings.table_prefix + name
        for row in dynamodb.scan(TableName=table)["Items"]:
            key = {attribute: row[attribute] for attribute in (hash_key, range_key) if attribute}
            dynamodb.delete_item(TableName=table, Key=key)
    stores.media.delete(stores.media.list("", limit=1_000))


@pytest.fixture
def services(money: Stores) -> Services:
    return Services(money)
