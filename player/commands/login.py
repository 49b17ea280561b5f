"""`player login`: get tokens for an account and store them."""

from urllib.parse import urlsplit

import click

from player.context import Context
from player.http.client import LOOPBACK
from player.terminal.prompts import ask, line_from_stdin
from player.terminal.text import printable

WITHOUT_TERMINAL = "--email EMAIL --password-stdin"


@click.command("login")
@click.option("--email", metavar="EMAIL", help="Email of the account. Without it, the command asks for it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")
@click.pass_obj
def command(context: Context, email: str | None, password_stdin: bool) -> None:
    """Log in, and store the login in the system keyring, or else in a file that only you can read."""
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
    click.echo(f"Logged in as {printable(login.email)} at {login.server}. The login is stored in: {place}")
    click.echo("See what is on: player streams")
