"""A mutant is a known bug: a change of the code, and the tests that find it."""

from dataclasses import dataclass

ROUNDS = ("tests/faults/test_rounds.py",)
SCENARIOS = ("tests/faults/test_scenarios.py",)
ZOO = "tests/media/test_zoo_quick.py::test_an_input_comes_out_as_it_should"

WRITES = "chalicelib/adapters/money/wallet_writes.py"
WALLETS = "chalicelib/adapters/money/dynamodb_wallets.py"
RECORDS = "chalicelib/adapters/money/dynamodb_sessions.py"
BILLING = "chalicelib/services/money/billing.py"
LEDGER = "chalicelib/services/money/ledger.py"
RECONCILIATION = "chalicelib/services/money/reconciliation.py"
SETTLEMENT = "chalicelib/domain/money/settlement.py"
SETTLEMENT_WRITES = "chalicelib/adapters/money/settlement_writes.py"
SETTLEMENTS = "chalicelib/services/money/settlements.py"
OPENER = "chalicelib/services/money/session_opener.py"
PLACES = "chalicelib/adapters/money/dynamodb_places.py"
LEASE = "chalicelib/domain/money/lease.py"


def steps(words: str) -> tuple[str, ...]:
    """Return the tests of every step of the situations with these words in their names."""
    return ("tests/faults/test_every_step.py", "-k", words)


def zoo(*names: str) -> tuple[str, ...]:
    """Return the tests of these inputs of the quick zoo."""
    return tuple(f"{ZOO}[{name}]" for name in names)


@dataclass(frozen=True)
class Mutant:
    """A bug: `new` replaces `old`, which is there once, in `file`. `also` has more changes: file, old, new."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ROUNDS
    also: tuple[tuple[str, str, str], ...] = ()
