"""`tollcast-admin logout`: revoke the operator's login at the server, and delete it here."""

import click

from player.errors import BadVariableError, CliError, UnreachableError
from player.exit_status import ExitStatus
from tollcast_admin.context import AdminContext
from tollcast_admin.options.exit_statuses import STATUSES


@click.command("logout", epilog=STATUSES)
@click.pass_obj
def command(context: AdminContext) -> None:
    """Log out: revoke the login at the server first, then delete it here. A login of `player` stays."""
    try:
        was_logged_in = context.account.logout()
    except (UnreachableError, BadVariableError) as error:
        raise CliError(
            f"{error.message} The login is deleted here, but not revoked at the server.",
            "It expires there by itself; a new password for the account ends it sooner.",
            ExitStatus.UNREACHABLE,
        ) from None
    click.echo(
        f"Logged out from {context.server}." if was_logged_in else f"You were not logged in at {context.server}."
    )
