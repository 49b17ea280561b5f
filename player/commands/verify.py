"""`player verify`: is a saved statement still what the server wrote? Without login and network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from player.outcome import MEANINGS, ExitStatus, exit_status_help

if TYPE_CHECKING:
    from player.statement.verification import Checked

NAME_WIDTH = 10
STATUSES = {
    ExitStatus.OK: "everything fits",
    ExitStatus.FAILED: "something does not fit, or FILE is no statement",
    ExitStatus.USAGE: MEANINGS[ExitStatus.USAGE],
}


@click.command("verify", short_help="Check a saved statement, offline.", epilog=exit_status_help(STATUSES))
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Check a statement that `player ledger --export FILE` saved: versions, balances, and the hash of every line.

    No login and no network are needed. When something does not fit, the first line of it is named.

    \b
      player ledger --export bill.json
      player verify bill.json
    """
    from player.statement.statement import BadStatementError, MalformedError, read_statement
    from player.statement.verification import MismatchError, verify
    from player.terminal.formats import printable

    try:
        statement = read_statement(file)
        checked = verify(statement)
    except OSError as error:
        raise BadStatementError(str(file), f"it cannot be read ({error.strerror})") from None
    except (MalformedError, MismatchError) as error:
        raise BadStatementError(str(file), str(error)) from None
    click.echo(f"{printable(str(file))}: everything fits.")
    _tell(checked, statement.user_id)


def _tell(checked: Checked, user_id: str) -> None:
    from player.context import sentence
    from player.terminal.formats import points, printable, when

    opening, end = checked.opening, checked.end
    versions = f"{opening.version + 1} to {end.version}, without a gap" if checked.lines else "none"
    _line("User", printable(user_id))
    _line("Lines", str(checked.lines))
    _line("Versions", versions)
    if checked.first_at_ms is not None and checked.last_at_ms is not None:
        _line("From", when(checked.first_at_ms))
        _line("To", when(checked.last_at_ms))
    _line("Balance", f"{points(end.balance_millipoints)}, and never below 0")
    _line("Last hash", end.hash)
    click.echo("")
    if opening.version:
        sentence(f"It begins after version {opening.version}; what came before is not in it and was not checked.")
    sentence(
        f"This proves that nothing up to version {end.version} was changed, added or left out since the server wrote "
        "it, as long as the last hash is the server's. Newer lines may be missing. It does not prove that what the "
        "server wrote is right."
    )
    sentence(
        f"To compare, save the statement anew (player ledger --export): its line with version {end.version} must have "
        "the same hash."
    )


def _line(name: str, value: str) -> None:
    click.echo(f"{name + ':':<{NAME_WIDTH}} {value}")
