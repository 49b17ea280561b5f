"""Apply the migrations that are not recorded yet, one runner at a time, under a lock row that expires."""

import importlib
import pkgutil
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import infra.migrations
from chalicelib.adapters.aws import ConditionFailed, client, translated
from chalicelib.config import Settings
from infra.migrations.tables import ensure_table

LOCK_ID = "lock"
LOCK_S = 120
LOCK_WAIT_S = 60.0
_NAME = re.compile(r"m\d{4}_[a-z0-9_]+")


class MigrationLocked(Exception):
    """Another runner held the lock for longer than `LOCK_WAIT_S`."""


def apply(settings: Settings, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Apply all changes that are not recorded, oldest first. Call `say` for each, and return their names."""
    table = settings.table_prefix + "migrations"
    ensure_table(settings.table_prefix, "migrations")
    if not pending(table):
        return []
    with _lock(table):
        # Another runner may have applied them while this one waited.
        names = pending(table)
        for name in names:
            importlib.import_module(f"infra.migrations.{name}").apply(settings)
            _record(table, name)
            say(f"applied {name}")
        return names


def names_known() -> list[str]:
    """Return the names of all changes, in order."""
    return sorted(info.name for info in pkgutil.iter_modules(infra.migrations.__path__) if _NAME.fullmatch(info.name))


def pending(table: str) -> list[str]:
    """Return the names of the changes that `table` has no record of, in order."""
    with translated():
        items = client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    done = {item["migration_id"]["S"] for item in items}
    return [name for name in names_known() if name not in done]


def _record(table: str, name: str) -> None:
    with translated():
        client("dynamodb").put_item(
            TableName=table, Item={"migration_id": {"S": name}, "applied_at_ms": {"N": str(int(time.time() * 1000))}}
        )


@contextmanager
def _lock(table: str) -> Iterator[None]:
    owner = secrets.token_hex(8)
    deadline = time.monotonic() + LOCK_WAIT_S
    while not _acquire_lock(table, owner):
        if time.monotonic() > deadline:
            raise MigrationLocked(f"another migration holds the lock of {table}, which expires after {LOCK_S} s")
        time.sleep(0.2)
    try:
        yield
    finally:
        try:
            with translated():
                client("dynamodb").delete_item(
                    TableName=table,
                    Key={"migration_id": {"S": LOCK_ID}},
                    ConditionExpression="lock_owner = :owner",
                    ExpressionAttributeValues={":owner": {"S": owner}},
                )
        except ConditionFailed:
            pass  # It expired, and another runner acquired it.


def _acquire_lock(table: str, owner: str) -> bool:
    now_s = int(time.time())
    try:
        with translated():
            client("dynamodb").put_item(
                TableName=table,
                Item={
                    "migration_id": {"S": LOCK_ID},
                    "lock_owner": {"S": owner},
                    "expires_at_s": {"N": str(now_s + LOCK_S)},
                },
                ConditionExpression="attribute_not_exists(migration_id) OR expires_at_s < :now",
                ExpressionAttributeValues={":now": {"N": str(now_s)}},
            )
    except ConditionFailed:
        return False
    return True
