"""`tollcast-admin canary`: what the synthetic viewer saw."""

import click

from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, column_table
from tollcast_admin.display.values import age_of, text_of, when_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import show, watch_options

RUNS = 20
COLUMNS = (
    Column("WHEN", lambda each: when_of(each["at_ms"])),
    Column("AGE", lambda each: f"{age_of(each['at_ms'])} ago", is_right=True),
    Column("RESULT", lambda each: "ok" if each["is_ok"] else "FAILED"),
    Column("STEP", lambda each: text_of(each["failed_step"])),
    Column("MS", lambda each: str(sum(step["ms"] for step in each["steps"])), is_right=True, rank=1),
    Column("FAILURE", lambda each: text_of(each["failure"]), cells_min=20),
)


@click.command("canary", epilog=STATUSES)
@json_option
@watch_options
@click.pass_obj
def command(context: AdminContext, json_fields: str | None, is_watched: bool, every_s: float | None) -> None:
    """List the last runs of the synthetic viewer, who watches, pays and checks the bill, the newest first.

    \b
      tollcast-admin canary
      tollcast-admin canary --json at_ms,is_ok,failed_step
    """
    one_line = is_watched or every_s is not None

    def render() -> list[str]:
        items = context.account.call("GET", f"/monitoring/canary?limit={RUNS}")["items"]
        if json_fields is not None:
            return [json_text(items, json_fields, indent=None if one_line else 2)]
        return column_table(COLUMNS, items, terminal_width()) if items else ["The canary has never run."]

    show(render, is_watched, every_s)
