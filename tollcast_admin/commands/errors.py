"""`tollcast-admin errors`: which errors the API returned, and how often."""

import click

from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, column_table
from tollcast_admin.display.values import age_of, text_of, when_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import json_indent, show, watch_options

COLUMNS = (
    Column("COUNT", lambda each: str(each["count"]), is_right=True),
    Column("STATUS", lambda each: str(each["status"])),
    Column("CODE", lambda each: each["code"], cells_min=12),
    Column("ROUTE", lambda each: f"{each['method']} {each['route']}", cells_min=16),
    Column("LAST", lambda each: f"{age_of(each['last_at_ms'])} ago", is_right=True),
    Column("REQUEST", lambda each: text_of(each["last_request_id"]), rank=1),
    Column("FIRST", lambda each: when_of(each["first_at_ms"]), rank=2),
)


@click.command("errors", epilog=STATUSES)
@json_option
@watch_options
@click.pass_obj
def command(context: AdminContext, json_fields: str | None, is_watched: bool, every_s: float | None) -> None:
    """List the errors that the API returned by code and route, the most frequent first, with the last request's id.

    \b
      tollcast-admin errors
      tollcast-admin errors --json code,route,count
    """

    def render() -> list[str]:
        items = context.account.call("GET", "/monitoring/errors")["items"]
        if json_fields is not None:
            return [json_text(items, json_fields, indent=json_indent(is_watched, every_s))]
        return column_table(COLUMNS, items, terminal_width()) if items else ["No error was returned."]

    show(render, is_watched, every_s)
