"""The `player` command: watch pay-as-you-go live streams in mpv."""

import importlib
import sys
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper

import click
from click.shell_completion import CompletionItem

from player.context import Context

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


class LazyGroup(click.Group):
    """A group that imports a command once it is named, so that the list of commands and its completion are quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"player.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin so."""
        commands = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return commands + click.Command.shell_complete(self, ctx, incomplete)


def _version() -> str:
    try:
        return version("tollcast")
    except PackageNotFoundError:
        return "unknown"


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--server",
    envvar="TOLLCAST_SERVER",
    metavar="URL",
    help="Address of the server. Without it: TOLLCAST_SERVER, the server of your last login, or this machine's.",
)
@click.version_option(_version(), prog_name="player")
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
