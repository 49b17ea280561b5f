"""`tollcast-admin audit`: what operators did."""

from collections.abc import Sequence

import click

from player.terminal.text import fit, printable, wrapped
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Item
from tollcast_admin.display.values import text_of, when_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list
from tollcast_admin.options.values import user_id_of

INDENT_CELLS = 4


def entry_lines(entries: Sequence[Item], width: int) -> list[str]:
    """Return the actions with their changes below them, wrapped."""
    lines = []
    for entry in entries:
        heading = f"{when_of(entry['at_ms'])}  {entry['action']}  {entry['target']}"
        author = f"by {entry['by_user_id']}" + (f" from {entry['ip']}" if entry["ip"] else "")
        lines += [fit(printable(heading), width)]
        for text in (author, _changes(entry)):
            lines += [f"    {line}" for line in wrapped(printable(text), width - INDENT_CELLS) if text]
    return lines


def _changes(entry: Item) -> str:
    """Return what changed, then further details: `rate_millipoints_per_minute: 60000 → 500, reason: …`."""
    before, after = entry["before"], entry["after"]
    changed = [f"{name}: {text_of(before[name])} → {text_of(after.get(name))}" for name in before]
    made = [f"{name}: {text_of(value)}" for name, value in after.items() if name not in before]
    return ", ".join([*changed, *made, *(f"{name}: {text_of(value)}" for name, value in entry["details"].items())])


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
    show_list(context, ListView("/audit", (), "Nothing was done yet.", filters, entry_lines), limit, json_fields)
