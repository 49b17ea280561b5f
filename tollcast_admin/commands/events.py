"""`tollcast-admin events`: what is and was wrong with what a stream is sent."""

import click

from player.http.paths import path_of
from tollcast_admin.context import AdminContext
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list, watch_options
from tollcast_admin.streams.issues import issue_lines


@click.command("events", epilog=STATUSES)
@click.argument("stream_id")
@click.option("--open", "state", flag_value="open", default=None, help="Only what is wrong now.")
@click.option("--closed", "state", flag_value="closed", help="Only what is over.")
@list_options
@watch_options
@click.pass_obj
def command(
    context: AdminContext,
    stream_id: str,
    state: str | None,
    limit: int,
    json_fields: str | None,
    is_watched: bool,
    every_s: float | None,
) -> None:
    """List the issues of a stream's source, newest first: what is measured, what is expected, what to change.

    \b
      tollcast-admin events films --open --watch
      tollcast-admin events films --json type,severity,since_ms
    """
    empty = f"Nothing is wrong with {stream_id}." if state == "open" else f"No issue of {stream_id} is known."
    view = ListView(path_of("streams", stream_id, "issues"), (), empty, {"state": state or "all"}, issue_lines)
    show_list(context, view, limit, json_fields, is_watched, every_s)
