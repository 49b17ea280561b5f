"""`player streams`: the streams and their prices."""

import json
from typing import Any

import click

from player.auth.paging import items
from player.context import Context
from player.terminal.formats import short_amount
from player.terminal.output import terminal_width
from player.terminal.tables import table
from player.terminal.text import printable


@click.command("streams")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_obj
def command(context: Context, as_json: bool) -> None:
    """List the streams with their state and price."""
    streams = items(context.account, "/streams")
    if as_json:
        click.echo(json.dumps(streams, indent=2))
        return
    if not streams:
        click.echo("There are no streams on this server yet.")
        return
    header = ("STREAM", "TITLE", "STATE", "POINTS/MIN", "POINTS/HOUR")
    for line in table(header, [_row(stream) for stream in streams], terminal_width(), right=(3, 4)):
        click.echo(line)
    live = next((stream["stream_id"] for stream in streams if stream.get("state") == "live"), None)
    click.echo(f"\nWatch with: player play {live}" if live else "\nNo stream is live now.")


def _row(stream: dict[str, Any]) -> list[str]:
    rate = stream["rate_millipoints_per_minute"]
    return [
        printable(stream["stream_id"]),
        printable(stream["title"]),
        printable(_state(stream)),
        short_amount(rate) if rate else "free",
        short_amount(rate * 60) if rate else "free",
    ]


def _state(stream: dict[str, Any]) -> str:
    """Return the state for viewers. A stream that the operator paused is expected to continue."""
    state = str(stream.get("state") or "stopped")
    return "paused" if state == "stopped" and stream.get("desired_state") == "paused" else state
