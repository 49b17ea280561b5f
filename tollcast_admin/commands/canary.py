"""`tollcast-admin canary`: what the synthetic viewer saw."""

from collections.abc import Sequence

import click

from player.terminal.text import printable, wrapped
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, Item, column_table
from tollcast_admin.display.values import age_of, when_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list, watch_options

INDENT_CELLS = 4
COLUMNS = (
    Column("WHEN", lambda each: when_of(each["at_ms"])),
    Column("AGE", lambda each: f"{age_of(each['at_ms'])} ago", is_right=True),
    Column("RESULT", lambda each: "ok" if each["is_ok"] else f"failed: {each['failed_step']}"),
    Column("STEPS", lambda each: str(len(each["steps"])), is_right=True),
    Column("MS", lambda each: str(sum(step["ms"] for step in each["steps"])), is_right=True),
)


def run_lines(items: Sequence[Item], width: int) -> list[str]:
    """Return a table of runs, with the reason below each that failed."""
    heading, *rows = column_table(COLUMNS, items, width)
    lines = [heading]
    for item, row in zip(items, rows, strict=True):
        reason = wrapped(printable(item["failure"] or ""), width - INDENT_CELLS) if item["failure"] else []
        lines += [row, *(" " * INDENT_CELLS + line for line in reason)]
    return lines


@click.command("canary", epilog=STATUSES)
@list_options
@watch_options
@click.pass_obj
def command(
    context: AdminContext, limit: int, json_fields: str | None, is_watched: bool, every_s: float | None
) -> None:
    """List the runs of the synthetic viewer, who watches, pays and checks the bill, the newest first.

    \b
      tollcast-admin canary --limit 10
      tollcast-admin canary --json at_ms,is_ok,failed_step
    """
    view = ListView("/monitoring/canary", COLUMNS, "The canary has not run in the last 30 days.", {}, run_lines)
    show_list(context, view, limit, json_fields, is_watched, every_s)
