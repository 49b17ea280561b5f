"""What a check of a wallet finds, and the statement that it reads, whose hash chain is recomputed."""

import json
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.faults.harness.api_client import ApiClient

Line = dict[str, Any]
CHAINED = (
    "version",
    "at_ms",
    "entry_id",
    "kind",
    "delta_millipoints",
    "session_id",
    "stream_id",
    "seq",
    "payment_id",
    "note",
)


@dataclass
class Findings:
    """The counts of checks by kind, and the violations. Balances are in millipoints.

    `balance_answered` follows from answers. `unanswered_lines` counts the lines without an answer.
    """

    checked: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    balance_answered: int = 0
    balance_unanswered: int = 0
    unanswered_lines: int = 0
    balance_actual: int = 0

    def check(self, kind: str, holds: bool, what: str) -> None:
        """Count a check, and add a violation if it fails."""
        self.checked[kind] += 1
        if not holds:
            self.violations.append(f"{kind}: {what}")

    def add(self, other: "Findings") -> None:
        """Add the findings of another wallet."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def report(self) -> list[str]:
        """Return a report of the balances, checks and violations."""
        expected = self.balance_answered + self.balance_unanswered
        lines = [
            f"balance expected {expected} ({self.balance_answered} from answers, {self.balance_unanswered} from"
            f" {self.unanswered_lines} lines without an answer), actual {self.balance_actual} millipoints"
        ]
        lines += [f"  {count:>7}  {kind}" for kind, count in sorted(self.checked.items())]
        lines += [f"violations {len(self.violations)}", *(f"  VIOLATION {what}" for what in self.violations[:20])]
        return lines


def statement(client: ApiClient, findings: Findings, user_id: str) -> tuple[list[Line], Line]:
    """Read the whole statement and check its hash chain. Returns the lines and the last state."""
    state: Line = {
        "version": 0,
        "balance_millipoints": 0,
        "hash": sha256(f"tollcast ledger 1\n{user_id}".encode()).hexdigest(),
    }
    lines: list[Line] = []
    while True:
        answer = client.send("GET", f"/me/ledger/export?format=json&after_version={state['version']}")
        if answer.status != 200:
            findings.check("statement", False, f"{answer}")
            return lines, state
        part = answer.document
        findings.check("statement", part["opening"] == state, f"a part opens with {part['opening']} after {state}")
        for line in part["lines"]:
            state = _after(findings, state, line)
            lines.append(line)
        findings.check("statement", part["closing"] == state, f"a part closes with {part['closing']}, not {state}")
        if not part["lines"] or part["next_after_version"] is None:
            return lines, state


def _after(findings: Findings, state: Line, line: Line) -> Line:
    canonical = json.dumps([line[name] for name in CHAINED], separators=(",", ":"))
    state = {
        "version": state["version"] + 1,
        "balance_millipoints": state["balance_millipoints"] + line["delta_millipoints"],
        "hash": sha256(f"{state['hash']}\n{canonical}".encode()).hexdigest(),
    }
    actual = {name: line[name] for name in state}
    findings.check("lines of statements (version, sum, hash)", actual == state, f"{actual}, not {state}")
    findings.check("balances never below 0", line["balance_millipoints"] >= 0, f"{line}")
    return state
