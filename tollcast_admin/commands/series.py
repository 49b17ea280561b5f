"""`tollcast-admin series`: figures over time."""

import time
from urllib.parse import urlencode

import click

from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.figures import series_lines
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import json_indent, show, watch_options

MS_PER_HOUR = 3_600_000
HOURS_OF_MINUTES_MAX, HOURS_MAX = 24, 400 * 24
STEP_MINUTE_S, STEP_HOUR_S = 60, 3600


@click.command("series", epilog=STATUSES)
@click.argument("names", nargs=-1)
@click.option("--stream", "stream_id", metavar="STREAM_ID", help="Of this stream, in place of the platform.")
@click.option(
    "--hours",
    type=click.IntRange(1, HOURS_MAX),
    default=1,
    show_default=True,
    help="How far back: minutes up to 24, hours beyond.",
)
@json_option
@watch_options
@click.pass_obj
def command(
    context: AdminContext,
    names: tuple[str, ...],
    stream_id: str | None,
    hours: int,
    json_fields: str | None,
    is_watched: bool,
    every_s: float | None,
) -> None:
    """Show figures over time as bars, all or those that are named. A gap is a time without a known value.

    \b
      tollcast-admin series active_sessions points_per_minute
      tollcast-admin series egress_bytes --stream films --hours 24
      tollcast-admin series --hours 720 --json series
    """
    step_s = STEP_MINUTE_S if hours <= HOURS_OF_MINUTES_MAX else STEP_HOUR_S

    def render() -> list[str]:
        to_ms = int(time.time() * 1000)
        query: dict[str, str | int] = {"step": step_s, "from_ms": to_ms - hours * MS_PER_HOUR, "to_ms": to_ms}
        query |= {"names": ",".join(names)} if names else {}
        query |= {"stream_id": stream_id} if stream_id else {}
        answer = context.account.call("GET", f"/monitoring/series?{urlencode(query)}")
        if json_fields is not None:
            return [json_text(answer, json_fields, indent=json_indent(is_watched, every_s))]
        return series_lines(answer, terminal_width())

    show(render, is_watched, every_s)
