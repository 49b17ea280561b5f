"""The option `--if-version`: change something only if it is still as it was seen."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from player.errors import CliError
from player.exit_status import ExitStatus
from player.http.client import ProblemError
from player.terminal.text import printable
from tollcast_admin.context import AdminContext
from tollcast_admin.display.values import text_of

PRECONDITION_FAILED = 412
Command = TypeVar("Command", bound=Callable[..., Any])


def version_option(command: Command) -> Command:
    """Add `--if-version` to a command."""
    return click.option(
        "--if-version",
        "version",
        type=click.IntRange(0),
        metavar="NUMBER",
        help="Change it only if it still has this version, which `show` prints. Else say what differs.",
    )(command)


def change(
    context: AdminContext, method: str, path: str, body: dict[str, Any] | None, version: int | None
) -> dict[str, Any]:
    """Send a change, with the version that it is made to.

    Raise CliError with the fields that have changed since, or the errors of Account.call.
    """
    try:
        return context.account.call(method, path, body, if_match=None if version is None else f'"{version}"')
    except ProblemError as problem:
        if problem.status != PRECONDITION_FAILED:
            raise
        raise CliError(changed_meanwhile(problem.fields), "Look at it again.", ExitStatus.REFUSED) from None


def changed_meanwhile(problem: dict[str, Any]) -> str:
    """Return what differs from the version that was named."""
    differing = problem.get("differing")
    lines = [f"It was changed meanwhile, to version {problem.get('version')}. ({problem.get('code')})"]
    lines += [
        printable(f"{each['field']}: {text_of(each['seen'])} → {text_of(each['current'])}") for each in differing or []
    ]
    return "\n".join(lines)
