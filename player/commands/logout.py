"""`player logout`: revoke the login at the server, and delete it here."""

import click

from player.context import Context
from player.errors import BadVariableError, CliError, UnreachableError
from player.exit_status import ExitStatus


@click.command("logout")
@click.pass_obj
def command(context: Context) -> None:
    """Log out: revoke the login at the server first, then delete it here."""
    try:
        was_logged_in = context.account.logout()
    except (UnreachableError, BadVariableError) as error:
        raise CliError(
            f"{error.message} The login is deleted here, but not revoked at the server.",
            "It expires there by itself; to revoke it sooner, ask the operator.",
            ExitStatus.UNREACHABLE,
        ) from None
    click.echo(
        f"Logged out from {context.server}." if was_logged_in else f"You were not logged in at {context.server}."
    )
