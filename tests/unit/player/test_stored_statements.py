"""Statements that the platform gave before there were settlements, and one with all kinds of lines, still verify.

The files in `statements/` are exports of the API, of November 2026.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from chalicelib.domain.money.wallets import EntryKind
from player.cli import main
from player.statement.reader import read_statement
from player.statement.verification import verify

STATEMENTS = Path(__file__).parent / "statements"
SETTLING = {"served_ahead", "unserved_credit", "debt_payment"}
# The hashes of their last lines, as their viewers have seen them.
LAST_HASHES = {
    "before_settlements": "0a881b1262270aabda78f44f4b69b3ec7e3bc2cd204f96bb276c86ad11d2725c",
    "with_settlements": "41a5b9a6f04b7364c53770c16fbe634f731d2718346f481cc2c3c866c3ebd18d",
}


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize("name", LAST_HASHES)
def test_a_stored_statement_verifies(name: str, kind: str) -> None:
    file = STATEMENTS / f"{name}.{kind}"
    assert verify(read_statement(file)).end.hash == LAST_HASHES[name]
    verified = CliRunner().invoke(main, ["verify", str(file)])
    assert verified.exit_code == 0, verified.output


def test_together_they_have_every_kind_of_line() -> None:
    kinds = {
        name: {line["kind"] for line in json.loads((STATEMENTS / f"{name}.json").read_text())["lines"]}
        for name in LAST_HASHES
    }
    assert SETTLING.isdisjoint(kinds["before_settlements"])
    assert kinds["with_settlements"] == {kind.value for kind in EntryKind} - {"reversal"}
