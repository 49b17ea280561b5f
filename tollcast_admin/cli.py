"""The `tollcast-admin` command: run streams, sessions, accounts and money from a terminal."""

import sys
from io import TextIOWrapper

import click

from player.lazy_group import LazyGroup
from player.version import installed_version
from tollcast_admin.context import AdminContext

COMMANDS = {
    "login": "Log in as an operator.",
    "status": "Server, its dependencies, and your account.",
    "overview": "The platform as of the last minute.",
    "streams": "Create, edit, start, pause, watch, log.",
    "events": "What is wrong with a stream's source.",
    "sessions": "Who watches; end a session.",
    "blocks": "Viewers who may not start sessions.",
    "users": "Accounts: roles, passwords, disabling, erasing.",
    "wallets": "Balances, points, caps, statements.",
    "payments": "Look up payments, take one back.",
    "reconcile": "What was served against what was paid.",
    "keys": "Credentials of programs.",
    "workers": "What runs the streams.",
    "series": "Figures over time.",
    "errors": "Errors that the API returned.",
    "canary": "What the synthetic viewer saw.",
    "audit": "What operators did.",
    "logout": "Revoke the login.",
}


@click.command(
    cls=LazyGroup,
    package="tollcast_admin.commands",
    texts=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--server",
    envvar="TOLLCAST_SERVER",
    metavar="URL",
    help="Address of the server. Without it: TOLLCAST_SERVER, the server of your last login, or this machine's.",
)
@click.version_option(installed_version(), prog_name="tollcast-admin")
@click.pass_context
def main(ctx: click.Context, server: str | None) -> None:
    """Run Tollcast: streams, sessions, accounts and money.

    \b
    Begin with:
      tollcast-admin login
      tollcast-admin streams list
      tollcast-admin streams start STREAM_ID
      tollcast-admin sessions list --watch

    The role of your account decides what you may do. Lists and pages are for people; --json FIELDS is for scripts.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # the terminal's encoding may lack letters of a title
    ctx.obj = AdminContext(server)
    ctx.call_on_close(ctx.obj.close)
