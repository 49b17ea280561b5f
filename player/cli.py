"""The `player` command: watch pay-as-you-go live streams in mpv."""

import sys
from io import TextIOWrapper

import click

from player.context import Context
from player.lazy_group import LazyGroup
from player.version import installed_version

COMMANDS = {
    "login": "Log in at a server.",
    "play": "Watch a stream in mpv.",
    "streams": "The streams and their prices.",
    "wallet": "Points, daily cap, active sessions.",
    "ledger": "What was paid and received.",
    "receipt": "What one session cost, checked.",
    "verify": "Check a saved statement, offline.",
    "status": "Account, server and mpv.",
    "logout": "Revoke the login.",
}


@click.command(
    cls=LazyGroup,
    package="player.commands",
    texts=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--server",
    envvar="TOLLCAST_SERVER",
    metavar="URL",
    help="Address of the server. Without it: TOLLCAST_SERVER, the server of your last login, or this machine's.",
)
@click.version_option(installed_version(), prog_name="player")
@click.pass_context
def main(ctx: click.Context, server: str | None) -> None:
    """Watch pay-as-you-go live streams in mpv.

    \b
    Begin with:
      player login
      player streams
      player play STREAM_ID
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # the terminal's encoding may lack letters of a title
    ctx.obj = Context(server)
    ctx.call_on_close(ctx.obj.close)
