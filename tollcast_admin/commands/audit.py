"""`tollcast-admin audit`: what operators did."""

from collections.abc import Mapping
from typing import Any

import click

from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, Item
from tollcast_admin.display.values import text_of, when_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list
from tollcast_admin.options.values import user_id_of


def _changes(entry: Item) -> str:
    """Return what changed: `rate: 60000 → 500`, then further details."""
    before, after = entry["before"], entry["after"]
    names = {**before, **after}
    changed = [f"{name}: {_value(before, name)} → {_value(after, name)}" for name in names if name in before]
    made = [f"{name}: {_value(after, name)}" for name in names if name not in before]
    return ", ".join([*changed, *made, *(f"{name}: {text_of(value)}" for name, value in entry["details"].items())])


def _value(values: Mapping[str, Any], name: str) -> str:
    return text_of(values.get(name))


COLUMNS = (
    Column("WHEN", lambda each: when_of(each["at_ms"])),
    Column("WHO", lambda each: each["by_user_id"], cells_min=10),
    Column("ACTION", lambda each: each["action"]),
    Column("TARGET", lambda each: each["target"], cells_min=10),
    Column("CHANGES", _changes, cells_min=14),
    Column("ADDRESS", lambda each: text_of(each["ip"]), rank=1),
)


@click.command("audit", epilog=STATUSES)
@click.option("--user", metavar="USER", help="Only actions on this user: email or id.")
@click.option("--by", metavar="USER", help="Only actions of this operator (email or id) or service key (key:KEY_ID).")
@list_options
@click.pass_obj
def command(context: AdminContext, user: str | None, by: str | None, limit: int, json_fields: str | None) -> None:
    """List what operators and service keys did, newest first. --json all has every change in full.

    \b
      tollcast-admin audit --limit 20
      tollcast-admin audit --user demo@local
      tollcast-admin audit --by key:KEY_ID --json at_ms,action,target
    """
    if user and by:
        raise click.UsageError("Use either --user or --by.")
    filters = {"user_id": user and user_id_of(context, user), "by_user_id": by and user_id_of(context, by)}
    show_list(context, ListView("/audit", COLUMNS, "Nothing was done yet.", filters), limit, json_fields)
