"""`player verify`: check a saved statement without login and network."""

from pathlib import Path

import click

from player.exit_status import MEANINGS, ExitStatus, exit_status_help
from player.statement.reader import read_statement
from player.statement.statement import BadStatementError, MalformedError
from player.statement.verification import MismatchError, Verification, verify
from player.terminal.formats import points, when
from player.terminal.output import print_field, print_sentence
from player.terminal.text import printable

NAME_WIDTH = 10
STATUSES = {
    ExitStatus.OK: "everything fits",
    ExitStatus.FAILED: "something does not fit, or FILE is not a statement",
    ExitStatus.USAGE: MEANINGS[ExitStatus.USAGE],
}


@click.command("verify", epilog=exit_status_help(STATUSES))
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Check a statement that `player ledger --export FILE` saved: versions, balances, and the hash of every line.

    No login and no network are needed. The first line that does not fit is reported.

    \b
      player ledger --export bill.json
      player verify bill.json
    """
    try:
        statement = read_statement(file)
        verification = verify(statement)
    except OSError as error:
        raise BadStatementError(str(file), f"it cannot be read ({error.strerror})") from None
    except (MalformedError, MismatchError) as error:
        raise BadStatementError(str(file), str(error)) from None
    click.echo(f"{printable(str(file))}: everything fits.")
    _report(verification, statement.user_id)


def _report(verification: Verification, user_id: str) -> None:
    opening, end = verification.opening, verification.end
    versions = f"{opening.version + 1} to {end.version}, without a gap" if verification.lines else "none"
    print_field("User", printable(user_id), NAME_WIDTH)
    print_field("Lines", str(verification.lines), NAME_WIDTH)
    print_field("Versions", versions, NAME_WIDTH)
    if verification.first_at_ms is not None and verification.last_at_ms is not None:
        print_field("From", when(verification.first_at_ms), NAME_WIDTH)
        print_field("To", when(verification.last_at_ms), NAME_WIDTH)
    print_field("Balance", f"{points(end.balance_millipoints)}, and never below 0", NAME_WIDTH)
    print_field("Last hash", end.hash, NAME_WIDTH)
    click.echo("")
    if opening.version:
        print_sentence(f"It begins after version {opening.version}; earlier lines are not in it and were not checked.")
    print_sentence(
        f"If the last hash is the server's, this proves that no line up to version {end.version} was changed, added or "
        "removed since the server wrote it. Newer lines may be missing. It does not prove that the server's lines are "
        "right."
    )
    print_sentence(
        f"To compare, save a new statement (player ledger --export): its line with version {end.version} must have "
        "the same hash."
    )
