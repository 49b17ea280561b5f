"""`player login`: get tokens for an account and store them."""

import sys
from urllib.parse import urlsplit

import click

from player.context import Context
from player.http.client import LOOPBACK
from player.terminal.text import printable

PASSWORD_BYTES_MAX = 4096


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
        email = _ask("Email", hidden=False)
    password = _password_from_stdin() if password_stdin else _ask(f"Password for {email}", hidden=True)
    login, place = context.account.login(email.strip(), password)
    click.echo(f"Logged in as {printable(login.email)} at {login.server}. The login is stored in: {place}")
    click.echo("See what is on: player streams")


def _ask(question: str, hidden: bool) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal. Use --email EMAIL --password-stdin")
    answer: str = click.prompt(question, hide_input=hidden, err=True)
    return answer


def _password_from_stdin() -> str:
    """Return the first line of standard input, without its line break."""
    password = sys.stdin.readline(PASSWORD_BYTES_MAX).rstrip("\r\n")
    if not password:
        raise click.UsageError("Standard input contains no password.")
    return password
