"""Create the tables of the schema."""

import time

from chalicelib.adapters.aws import client
from infra.schema import TABLES, index_definition, key_attributes, table_definition

ACTIVE_WAIT_S = 60.0
# DynamoDB fills a new index from its table, which takes minutes for millions of rows.
INDEX_WAIT_S = 3_600.0


class TableNotActive(Exception):
    """The store took longer than `ACTIVE_WAIT_S` to create a table, or `INDEX_WAIT_S` to create an index."""


def ensure_table(prefix: str, name: str) -> None:
    """Create a table of the schema unless it exists, and wait until it is active."""
    dynamodb = client("dynamodb")
    try:
        status = dynamodb.describe_table(TableName=prefix + name)["Table"]["TableStatus"]
    except dynamodb.exceptions.ResourceNotFoundException:
        status = _create(prefix, name)
    deadline = time.monotonic() + ACTIVE_WAIT_S
    while status not in ("ACTIVE", "UPDATING"):
        if time.monotonic() > deadline:
            raise TableNotActive(f"table {prefix + name} is {status} after {ACTIVE_WAIT_S:.0f} s")
        time.sleep(0.5)
        status = dynamodb.describe_table(TableName=prefix + name)["Table"]["TableStatus"]


def _create(prefix: str, name: str) -> str:
    dynamodb = client("dynamodb")
    try:
        created = dynamodb.create_table(**table_definition(prefix, name))
    except dynamodb.exceptions.ResourceInUseException:
        return "CREATING"  # Another process has created it a moment ago.
    return str(created["TableDescription"]["TableStatus"])


def ensure_index(prefix: str, name: str, index: str) -> None:
    """Create an index of the schema unless its table has it, and wait until it is active.

    DynamoDB creates one index of a table at a time.
    """
    deadline = time.monotonic() + INDEX_WAIT_S
    status = _index_status(prefix + name, index)
    if status is None:
        client("dynamodb").update_table(
            TableName=prefix + name,
            AttributeDefinitions=key_attributes(TABLES[name][2][index]),
            GlobalSecondaryIndexUpdates=[{"Create": index_definition(name, index)}],
        )
    while status != "ACTIVE":
        if time.monotonic() > deadline:
            raise TableNotActive(f"the index {index} of {prefix + name} is not active after {INDEX_WAIT_S:.0f} s")
        time.sleep(0.5 if status else 0)
        status = _index_status(prefix + name, index) or ""


def _index_status(table: str, index: str) -> str | None:
    found = client("dynamodb").describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
    return next((str(each.get("IndexStatus", "ACTIVE")) for each in found if each["IndexName"] == index), None)


def ensure_expiry(prefix: str, name: str) -> None:
    """Turn on the table's time to live if the schema names an attribute for it."""
    attribute = TABLES[name][3]
    dynamodb = client("dynamodb")
    table = prefix + name
    if attribute is None:
        return
    found = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
        )
