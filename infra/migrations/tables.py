"""Create the tables of the schema."""

import time

from chalicelib.adapters.aws import client
from infra.schema import TABLES, table_definition

ACTIVE_WAIT_S = 60.0


class TableNotActive(Exception):
    """The store took longer than `ACTIVE_WAIT_S` to create a table."""


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
