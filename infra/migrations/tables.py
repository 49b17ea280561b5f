"""Create the tables of the schema."""

from contextlib import suppress

from chalicelib.adapters.aws import client
from infra.schema import TABLES, table_definition

SECONDS_BETWEEN, ATTEMPTS_MAX = 1, 60


def ensure_table(prefix: str, name: str) -> None:
    """Create a table of the schema unless it exists, and wait until it is active. Raises botocore's `WaiterError`."""
    dynamodb = client("dynamodb")
    with suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(**table_definition(prefix, name))
    waiter = dynamodb.get_waiter("table_exists")
    waiter.wait(TableName=prefix + name, WaiterConfig={"Delay": SECONDS_BETWEEN, "MaxAttempts": ATTEMPTS_MAX})


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
