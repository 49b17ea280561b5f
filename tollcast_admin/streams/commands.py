"""Commands that act on a stream: its state, its log, and where its sender sends to."""

from typing import Any

import click

from player.http.paths import path_of
from player.terminal.output import print_sentence, terminal_width
from player.terminal.text import printable
from tollcast_admin.context import AdminContext
from tollcast_admin.display.fields import field_lines
from tollcast_admin.options.confirmation import confirm, yes_option
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import json_indent, show, watch_options
from tollcast_admin.streams.log import log_lines

LOG_LINES_DEFAULT, LOG_LINES_MAX = 10, 200


def _set_state(context: AdminContext, stream_id: str, state: str) -> dict[str, Any]:
    return context.account.call("POST", path_of("streams", stream_id, "state"), {"state": state})


@click.command("start", epilog=STATUSES)
@click.argument("stream_id")
@click.pass_obj
def start(context: AdminContext, stream_id: str) -> None:
    """Put a stream live.

    \b
      tollcast-admin streams start films
    """
    stream = _set_state(context, stream_id, "live")
    click.echo(f"{printable(stream['stream_id'])} is wanted live; now it is {stream['state']}.")
    click.echo(f"See what happens: tollcast-admin streams show {printable(stream['stream_id'])} --watch")


@click.command("pause", epilog=STATUSES)
@click.argument("stream_id")
@click.pass_obj
def pause(context: AdminContext, stream_id: str) -> None:
    """Pause a stream. Its sessions end with a refund, and viewers see that it will go on.

    \b
      tollcast-admin streams pause films
    """
    click.echo(f"{printable(_set_state(context, stream_id, 'paused')['stream_id'])} is paused. Its sessions end.")


@click.command("stop", epilog=STATUSES)
@click.argument("stream_id")
@click.pass_obj
def stop(context: AdminContext, stream_id: str) -> None:
    """Stop a stream. Its sessions end with a refund.

    \b
      tollcast-admin streams stop films
    """
    click.echo(f"{printable(_set_state(context, stream_id, 'stopped')['stream_id'])} is stopped. Its sessions end.")


@click.command("restart", epilog=STATUSES)
@click.argument("stream_id")
@click.pass_obj
def restart(context: AdminContext, stream_id: str) -> None:
    """Restart the encoder and open the sources again. Viewers stay.

    \b
      tollcast-admin streams restart films
    """
    stream = context.account.call("POST", path_of("streams", stream_id, "restart"))
    click.echo(f"The encoder of {printable(stream['stream_id'])} restarts. Viewers stay.")


@click.command("archive", epilog=STATUSES)
@click.argument("stream_id")
@yes_option
@click.pass_obj
def archive(context: AdminContext, stream_id: str, yes: bool) -> None:
    """Stop a stream and hide it for good. Its history stays.

    \b
      tollcast-admin streams archive films
    """
    confirm(f"Stop {stream_id} and hide it for good?", yes)
    context.account.call("DELETE", path_of("streams", stream_id))
    click.echo(f"{printable(stream_id)} is stopped and hidden.")


@click.command("log", epilog=STATUSES)
@click.argument("stream_id")
@click.option(
    "--lines",
    "lines_max",
    type=click.IntRange(1, LOG_LINES_MAX),
    default=LOG_LINES_DEFAULT,
    show_default=True,
    help="How many lines of each run.",
)
@json_option
@watch_options
@click.pass_obj
def log(
    context: AdminContext,
    stream_id: str,
    lines_max: int,
    json_fields: str | None,
    is_watched: bool,
    every_s: float | None,
) -> None:
    """Show what the encoder's runs logged, the newest last: repairs, why sources are not open, rejected senders.

    \b
      tollcast-admin streams log films --lines 50
    """

    def render() -> list[str]:
        answer = context.account.call("GET", path_of("streams", stream_id, "log"))
        if json_fields is not None:
            return [json_text(answer["items"], json_fields, indent=json_indent(is_watched, every_s))]
        return log_lines(answer, lines_max, terminal_width())

    show(render, is_watched, every_s)


@click.command("ingest", epilog=STATUSES)
@click.argument("stream_id")
@click.pass_obj
def ingest(context: AdminContext, stream_id: str) -> None:
    """Show where to send to, with the key: server and stream key for RTMP, a URL for SRT. Keep it secret.

    \b
      tollcast-admin streams ingest films
    """
    _show_address(context.account.call("GET", path_of("streams", stream_id)))


@click.command("rotate-key", epilog=STATUSES)
@click.argument("stream_id")
@yes_option
@click.pass_obj
def rotate_key(context: AdminContext, stream_id: str, yes: bool) -> None:
    """Replace the key of senders. A sender with the old one is disconnected within seconds.

    \b
      tollcast-admin streams rotate-key films
    """
    confirm(f"Give {stream_id} a new key? A sender with the old one is disconnected.", yes)
    stream = context.account.call("POST", path_of("streams", stream_id, "ingest-key"))
    click.echo("The key is replaced. A sender with the old one is disconnected within seconds.")
    _show_address(stream)


def _show_address(stream: dict[str, Any]) -> None:
    address = stream["ingest_address"]
    if address is None:
        print_sentence(
            f"No source of {printable(stream['stream_id'])} waits for a sender. Set one: "
            f"tollcast-admin streams edit {printable(stream['stream_id'])} --source rtmp"
        )
        return
    names = {"server": "Server", "stream_key": "Stream key", "url": "URL"}
    # The width of a terminal must not break what is copied.
    for line in field_lines([(names.get(name, name), str(value)) for name, value in address.items()], 10_000):
        click.echo(line)


COMMANDS = (start, pause, stop, restart, archive, log, ingest, rotate_key)
