"""`tollcast-admin workers`: what runs the streams."""

import click

from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column
from tollcast_admin.display.values import age_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list, watch_options

COLUMNS = (
    Column("WORKER", lambda each: each["worker_id"], cells_min=12),
    Column("RUNS", lambda each: f"{len(each['stream_ids'])} of {each['capacity']}", is_right=True),
    Column("SEEN", lambda each: f"{age_of(each['seen_at_ms'])} ago", is_right=True),
    Column("STREAMS", lambda each: ", ".join(each["stream_ids"]), cells_min=12),
)


@click.command("workers", epilog=STATUSES)
@list_options
@watch_options
@click.pass_obj
def command(
    context: AdminContext, limit: int, json_fields: str | None, is_watched: bool, every_s: float | None
) -> None:
    """List the workers: how many streams each runs, and which. One that is silent for 20 s is left out.

    \b
      tollcast-admin workers --watch
    """
    view = ListView("/workers", COLUMNS, "No worker is running. Start one: python -m worker", {})
    show_list(context, view, limit, json_fields, is_watched, every_s)
