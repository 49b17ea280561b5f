"""What a mutant is: a known bug, the place for it, and the part of the suite that finds it."""

from dataclasses import dataclass

ROUNDS = ("tests/faults/test_rounds.py",)
SCENARIOS = ("tests/faults/test_scenarios.py",)

WRITES = "chalicelib/adapters/wallet_writes.py"
WALLETS = "chalicelib/adapters/dynamodb_wallets.py"
RECORDS = "chalicelib/adapters/dynamodb_sessions.py"
BILLING = "chalicelib/services/billing.py"
LEDGER = "chalicelib/services/ledger.py"
RECONCILIATION = "chalicelib/services/reconciliation.py"
OUTAGES = "chalicelib/domain/outages.py"
PLACES = "chalicelib/adapters/dynamodb_places.py"
PLAYBACK = "chalicelib/services/playback.py"
LEASE = "chalicelib/domain/lease.py"


def steps(words: str) -> tuple[str, ...]:
    """The tests of every step of the situations that are so named."""
    return ("tests/faults/test_every_step.py", "-k", words)


@dataclass(frozen=True)
class Mutant:
    """A bug: in `file`, `new` instead of `old`."""

    name: str
    file: str
    old: str
    new: str
    also: tuple[tuple[str, str, str], ...] = ()
    tests: tuple[str, ...] = ROUNDS
