"""Questions before what cannot be undone, and new passwords."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from player.terminal.prompts import line_from_stdin

Command = TypeVar("Command", bound=Callable[..., Any])


def yes_option(command: Command) -> Command:
    """Add `--yes` to a command."""
    return click.option("--yes", is_flag=True, help="Do not ask, for scripts.")(command)


def confirm(question: str, yes: bool) -> None:
    """Ask a question unless `yes`. Raise click.Abort for a no, click.UsageError without a terminal."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on. Add --yes")
    click.confirm(question, abort=True, err=True)


def confirm_by_typing(question: str, wanted: str, yes: bool) -> None:
    """Ask for a text that has to be repeated. Raises the errors of `confirm`."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on. Add --yes")
    if click.prompt(question, err=True) != wanted:
        click.echo(f"That is not {wanted}. Nothing was done.", err=True)
        raise click.Abort()


def password_option(command: Command) -> Command:
    """Add `--password-stdin` to a command."""
    return click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")(
        command
    )


def new_password(email: str, from_stdin: bool) -> str:
    """Return a new password: a line of standard input, or typed twice. Raise click.UsageError."""
    if from_stdin:
        return line_from_stdin("password")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal. Use --password-stdin")
    answer: str = click.prompt(f"New password for {email}", hide_input=True, confirmation_prompt=True, err=True)
    return answer
