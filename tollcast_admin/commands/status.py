"""`tollcast-admin status`: the server, its dependencies, and the operator's account."""

import click

from player.errors import CliError
from player.http.client import ProblemError
from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.fields import field_lines
from tollcast_admin.options.exit_statuses import STATUSES


@click.command("status", epilog=STATUSES)
@click.pass_obj
def command(context: AdminContext) -> None:
    """Show the server with its version and dependencies, your account and role, and where the login is stored.

    The exit status is 5 if the server cannot be reached or one of its dependencies fails, 4 if you are not logged in.
    """
    failure: CliError | None = None
    fields: list[tuple[str, str | None]] = [("Server", context.server)]
    try:
        health = context.account.health()
        dependencies = ", ".join(f"{name} {state}" for name, state in health["dependencies"].items())
        fields += [("Version", health["version"]), ("Health", f"{health['status']} ({dependencies})")]
    except (CliError, KeyError) as error:
        failure = error if isinstance(error, CliError) else None
        fields.append(("Health", "cannot be reached"))
    try:
        me = context.account.call("GET", "/me")
        fields += [("Account", me["email"]), ("Role", me["role"]), ("User", me["user_id"])]
    except CliError as error:
        failure = failure or error
        fields.append(("Account", error.message if isinstance(error, ProblemError) else "not known"))
    fields.append(("Login", context.store.place(context.server) or "none"))
    for line in field_lines(fields, terminal_width()):
        click.echo(line)
    if failure is not None:
        raise failure
