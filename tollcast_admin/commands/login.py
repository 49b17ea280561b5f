"""`tollcast-admin login`: get tokens for an operator's account and store them."""

from urllib.parse import urlsplit

import click

from player.http.client import LOOPBACK
from player.terminal.prompts import ask, line_from_stdin
from player.terminal.text import printable
from tollcast_admin.context import AdminContext
from tollcast_admin.options.exit_statuses import STATUSES

WITHOUT_TERMINAL = "--email EMAIL --password-stdin"


@click.command("login", epilog=STATUSES)
@click.option("--email", metavar="EMAIL", help="Email of the account. Without it, the command asks for it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")
@click.pass_obj
def command(context: AdminContext, email: str | None, password_stdin: bool) -> None:
    """Log in as an operator, and store the login in the system keyring, or else in a file that only you can read.

    It is kept beside the login of `player`: you can watch as a viewer and work as an operator at the same server.

    \b
      tollcast-admin login --email admin@local
      tollcast-admin --server https://tv.example.org login
    """
    parts = urlsplit(context.server)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        click.echo(f"Warning: {context.server} is not encrypted; others may read your password.", err=True)
    if not email:
        email = ask("Email", hidden=False, without_terminal=WITHOUT_TERMINAL)
    if password_stdin:
        password = line_from_stdin("password")
    else:
        password = ask(f"Password for {email}", hidden=True, without_terminal=WITHOUT_TERMINAL)
    login, place = context.account.login(email.strip(), password)
    click.echo(f"Logged in as {printable(login.email)} ({printable(login.role)}) at {login.server}.")
    click.echo(f"The login is stored in: {place}")
    if login.role == "viewer":
        click.echo("Warning: the role viewer may only list streams here. An admin can change it.", err=True)
    click.echo("Begin with: tollcast-admin streams list")
