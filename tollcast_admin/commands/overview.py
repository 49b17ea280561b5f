"""`tollcast-admin overview`: the state of the platform."""

import click

from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.figures import overview_lines
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import json_indent, show, watch_options


@click.command("overview", epilog=STATUSES)
@json_option
@watch_options
@click.pass_obj
def command(context: AdminContext, json_fields: str | None, is_watched: bool, every_s: float | None) -> None:
    """Show the platform as of the last minute: streams, workers, queues, sessions, points, media, errors.

    \b
      tollcast-admin overview --every 30
      tollcast-admin overview --json figures
    """

    def render() -> list[str]:
        answer = context.account.call("GET", "/monitoring/overview")
        if json_fields is not None:
            return [json_text(answer, json_fields, indent=json_indent(is_watched, every_s))]
        return overview_lines(answer, terminal_width())

    show(render, is_watched, every_s)
