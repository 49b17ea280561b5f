"""The errors that a command can end with: what happened, what to do next, and the exit status."""

import sys
from typing import IO, Any

import click

from player.exit_status import ExitStatus
from player.terminal.output import terminal_width
from player.terminal.text import fitted


class CliError(click.ClickException):
    """An error for the viewer. `advice` says what to do next. `operator_message` is a part of it, for scripts alone."""

    def __init__(
        self,
        message: str,
        advice: str,
        status: ExitStatus,
        end_reason: str | None = None,
        operator_message: str = "",
    ) -> None:
        super().__init__(message)
        self.operator_message = operator_message
        self.advice = advice
        self.end_reason = end_reason
        self.exit_code = int(status)  # type: ignore[misc]  # click declares it for the class

    def format_message(self) -> str:
        """Return the message and the advice, which has its own line if one of them has several."""
        gap = "\n" if "\n" in self.message + self.advice else " "
        return f"{self.message}{gap}{self.advice}".strip()

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error, on a terminal without breaking words."""
        text = f"Error: {self.format_message()}"
        stream = file or sys.stderr
        lines = fitted(text, terminal_width()) if stream.isatty() else text.splitlines()
        click.echo("\n".join(lines), file=stream)


class NotLoggedInError(CliError):
    """No usable login is stored for this server."""

    def __init__(self, message: str = "Not logged in.", program: str = "player") -> None:
        super().__init__(message, f"Run: {program} login", ExitStatus.REFUSED)


class LoginExpiredError(NotLoggedInError):
    """A login is stored, but the server no longer accepts it."""

    def __init__(self, program: str = "player") -> None:
        super().__init__("Your login has expired.", program)


class KeyringUnavailableError(CliError):
    """The tokens are in the system keyring, which is locked or does not answer."""

    def __init__(self, detail: str, program: str = "player") -> None:
        super().__init__(
            f"The system keyring is locked or does not answer ({detail}).",
            f"Unlock it and try again, or run: {program} login",
            ExitStatus.REFUSED,
        )


class StartUnansweredError(CliError):
    """No attempt of a start was answered. A session may exist that cannot be stopped, because its id is unknown."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The start was not answered. {why}",
            "A lease may have been bought; it expires by itself, and player ledger shows it.",
            ExitStatus.UNREACHABLE,
        )


class BadVariableError(CliError):
    """An environment variable prevents requests to the server."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "", ExitStatus.UNREACHABLE)


class UnreachableError(CliError):
    """The server did not answer, or answered with a 5xx status."""

    def __init__(self, server: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(
            f"The server at {server} cannot be reached: {detail.rstrip('.')}.",
            "Check your connection, or the address (--server or TOLLCAST_SERVER), and try again.",
            ExitStatus.UNREACHABLE,
        )
        self.retry_after_s = retry_after_s
