"""Holds a wallet's ledger, read over HTTP only, against what its clients were told. Nothing of the product is imported.

The rules are those of docs/billing.md; the chain of hashes is recomputed from its public rule.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.faults.harness.answer_log import Told
from tests.faults.harness.api_client import Caller, NeverAnswered
from tests.faults.harness.terms import MS_PER_MINUTE, Terms

Line = dict[str, Any]
# What the charge of a lease may be above rate x time: rounding up, and the millisecond that a last rest buys at least.
ROUNDING_MILLIPOINTS = 3
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
LEASES = ("lease", "unserved")


@dataclass
class Findings:
    """How much was checked of each kind, and what was wrong. Balances are in millipoints.

    `balance_told` follows from answers alone; `untold` are lines whose answers were lost, or that nobody is told of.
    """

    checked: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    balance_told: int = 0
    balance_untold: int = 0
    untold: int = 0
    balance_actual: int = 0

    def check(self, kind: str, holds: bool, what: str) -> None:
        """Count a check, and keep what it found."""
        self.checked[kind] += 1
        if not holds:
            self.violations.append(f"{kind}: {what}")

    def add(self, other: "Findings") -> None:
        """Take over what another wallet's audit found."""
        self.checked += other.checked
        self.violations += other.violations
        self.balance_told += other.balance_told
        self.balance_untold += other.balance_untold
        self.untold += other.untold
        self.balance_actual += other.balance_actual

    def report(self) -> list[str]:
        """For people: the balances, each kind of check with its count, and what was wrong."""
        expected = self.balance_told + self.balance_untold
        lines = [
            f"balance expected {expected} (told {self.balance_told}, and {self.balance_untold} in {self.untold} lines"
            f" that nobody was told of), actual {self.balance_actual} millipoints"
        ]
        lines += [f"  {count:>7}  {kind}" for kind, count in sorted(self.checked.items())]
        lines += [f"violations {len(self.violations)}", *(f"  VIOLATION {what}" for what in self.violations[:20])]
        return lines


def statement(caller: Caller, findings: Findings, user_id: str) -> tuple[list[Line], Line]:
    """The whole statement, each line held against the chain; answers the lines and the last state."""
    state: Line = {
        "version": 0,
        "balance_millipoints": 0,
        "hash": sha256(f"tollcast ledger 1\n{user_id}".encode()).hexdigest(),
    }
    lines: list[Line] = []
    while True:
        answer = caller.sure("GET", f"/me/ledger/export?format=json&after_version={state['version']}")
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
    said = {name: line[name] for name in state}
    findings.check("lines of statements (version, sum, hash)", said == state, f"{said}, not {state}")
    findings.check("balances never below 0", line["balance_millipoints"] >= 0, f"{line}")
    return state


class Audit:
    """All checks of one wallet, made while nobody changes it."""

    def __init__(self, caller: Caller, told: Told, terms: Terms) -> None:
        self._caller = caller
        self._told = told
        self._terms = terms
        self.findings = Findings()
        self.lines: list[Line] = []
        self._by_id: dict[str, Line] = {}

    def run(self) -> Findings:
        """Read everything and check it; never raises for what it finds."""
        try:
            self._check_all()
        except NeverAnswered as error:
            self.findings.check("answers", False, f"the audit could not go on: {error}")
        self.findings.violations += [f"while running: {what}" for what in self._told.violations]
        return self.findings

    def _check_all(self) -> None:
        found, told = self.findings, self._told
        self.lines, state = statement(self._caller, found, told.user_id)
        self._by_id = {line["entry_id"]: line for line in self.lines}
        found.check("entry ids once", len(self._by_id) == len(self.lines), "an entry id recurs in the ledger")
        wallet = _read(self._caller, "/me/wallet")
        said = (wallet["version"], wallet["balance_millipoints"])
        found.check("balance = sum of the ledger", said == (state["version"], state["balance_millipoints"]), f"{said}")
        listed = _listing(self._caller, "/me/ledger")[::-1]
        same = [{name: line[name] for name in CHAINED} for line in self.lines]
        found.check("statement = list", listed == same, "the list /me/ledger differs from the statement")
        self._balance_follows_from_answers(wallet["balance_millipoints"])
        for check in (self._told_is_kept, self._moments_hold, self._lines_are_explained):
            check()
        self._sessions_add_up(wallet)

    def _balance_follows_from_answers(self, actual: int) -> None:
        found, told = self.findings, self._told
        deltas = {f"{session_id}.{seq}": -sale.charged_millipoints for (session_id, seq), sale in told.sold.items()}
        deltas |= {f"p.{payment_id}": told.payments[payment_id] for payment_id in told.acknowledged}
        deltas |= {f"{session_id}.end": end["refunded_millipoints"] for session_id, end in told.ended.items()}
        untold = [line["delta_millipoints"] for line in self.lines if line["entry_id"] not in deltas]
        found.balance_told, found.balance_untold = sum(deltas.values()), sum(untold)
        found.untold, found.balance_actual = len(untold), actual
        expected = found.balance_told + found.balance_untold
        found.check("balance = what was told", expected == actual, f"{expected}, not {actual}")

    def _told_is_kept(self) -> None:
        """No acknowledged operation is lost, and each has the amount that was told."""
        found, told = self.findings, self._told
        for (session_id, seq), sale in told.sold.items():
            line = self._by_id.get(f"{session_id}.{seq}", {})
            kind = "unserved" if sale.outcome == "unserved" else "lease"
            said = (line.get("kind"), line.get("delta_millipoints"))
            found.check("acknowledged leases", said == (kind, -sale.charged_millipoints), f"{sale} against {line}")
            until_ms = line.get("at_ms", 0) + self._terms.ahead_ms
            found.check("paid until now + horizon + lease at most", sale.paid_until_ms <= until_ms, f"{sale} {line}")
        for (session_id, seq), charged in told.repeated.items():
            line = self._by_id.get(f"{session_id}.{seq}", {})
            said = line.get("delta_millipoints")
            found.check("repeated beats told their cost", said == -charged, f"{charged} told of {line}")
        for payment_id in told.acknowledged:
            line = self._by_id.get(f"p.{payment_id}", {})
            paid = told.payments[payment_id]
            found.check("acknowledged payments", line.get("delta_millipoints") == paid, f"{payment_id} {paid}: {line}")
        for session_id, end in told.ended.items():
            line = self._by_id.get(f"{session_id}.end", {})
            said = line.get("delta_millipoints")
            found.check("acknowledged ends", said == end["refunded_millipoints"], f"{end} against {line}")

    def _moments_hold(self) -> None:
        """What was told of the wallet while it changed is what the ledger says of those versions."""
        by_version = {line["version"]: line for line in self.lines}
        for name, known in (("balance_millipoints", self._told.balances), ("hash", self._told.hashes)):
            for version, value in known.items():
                if version:
                    said = by_version.get(version, {}).get(name)
                    self.findings.check("wallets and statements read meanwhile", said == value, f"{version}: {value}")

    def _lines_are_explained(self) -> None:
        """Nothing is in the ledger that nobody asked for."""
        explain: dict[str, Callable[[Line], bool]] = {
            "lease": self._is_lease,
            "unserved": self._is_lease,
            "refund": lambda line: line["session_id"] in self._told.sessions and line["delta_millipoints"] >= 0,
            "credit": lambda line: self._told.payments.get(line["payment_id"]) == line["delta_millipoints"],
            "adjustment": lambda line: self._told.payments.get(line["payment_id"]) == line["delta_millipoints"],
            "outage_credit": lambda line: line["session_id"] in self._told.sessions and line["delta_millipoints"] > 0,
        }
        for line in self.lines:
            self.findings.check("lines explained", explain[line["kind"]](line), f"{line}")

    def _is_lease(self, line: Line) -> bool:
        session_id, seq, charged = line["session_id"], line["seq"], -line["delta_millipoints"]
        asked = (session_id, seq) in self._told.asked or seq == 1
        if session_id not in self._told.sessions or not asked or line["entry_id"] != f"{session_id}.{seq}":
            return False
        if line["kind"] == "unserved":
            return charged == 0
        # Anything else than a whole lease is the exact rest.
        whole = self._terms.charge_millipoints
        return charged == whole or (0 < charged < whole and line["balance_millipoints"] == 0)

    def _sessions_add_up(self, wallet: Line) -> None:
        found = self.findings
        of_session: defaultdict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line["session_id"]:
                of_session[line["session_id"]].append(line)
        active = {each["session_id"]: each for each in wallet["sessions"]}
        records = {each["session_id"]: each for each in _listing(self._caller, "/me/sessions")}
        found.check("sessions", set(records) == set(of_session), f"{set(records) ^ set(of_session)} in one place only")
        found.check("sessions", self._told.sessions <= set(records), f"lost: {self._told.sessions - set(records)}")
        for session_id, lines in of_session.items():
            self._session_adds_up(lines, records.get(session_id, {}), active.get(session_id))

    def _session_adds_up(self, lines: list[Line], record: Line, live: Line | None) -> None:
        found, net = self.findings, -sum(line["delta_millipoints"] for line in lines)
        name = lines[0]["session_id"]
        seqs = [line["seq"] for line in lines if line["kind"] in LEASES]
        found.check("each (session, seq) once", len(seqs) == len(set(seqs)), f"{name}: {seqs}")
        found.check("seqs in order", seqs == sorted(seqs) and seqs[:1] == [1], f"{name}: {seqs}")
        ends = [n for n, line in enumerate(lines) if line["kind"] == "refund"]
        if record.get("active"):
            said = live["charged_millipoints"] if live else None
            found.check("no end before the end", not ends, f"{name} has a refund and is active")
        else:
            said = record.get("charged_millipoints")
            found.check("one end, the last line", ends == [len(lines) - 1], f"{name}: {lines}")
            refund = lines[-1]["delta_millipoints"]
            found.check("refund as recorded", record.get("refunded_millipoints") == refund, f"{record} {lines[-1]}")
            told = self._told.ended.get(name, record)
            found.check("end as told", told["charged_millipoints"] == net, f"{told}: {net}")
        found.check("charged - refunded", said == net and net >= 0, f"{name}: {said} against {net}")
        self._bounded(lines, record, net)

    def _bounded(self, lines: list[Line], record: Line, net: int) -> None:
        """At most `rate * (elapsed + horizon + lease)`, where `elapsed` ends with the last lease."""
        leases = [line for line in lines if line["kind"] in LEASES]
        elapsed_ms = leases[-1]["at_ms"] - record.get("started_at_ms", leases[0]["at_ms"])
        most = self._terms.rate_millipoints_per_minute * (elapsed_ms + self._terms.ahead_ms) / MS_PER_MINUTE
        most += ROUNDING_MILLIPOINTS * len(leases)
        self.findings.check("rate * (elapsed + horizon + lease) at most", net <= most, f"{net} > {most}: {record}")


def _read(caller: Caller, path: str) -> Line:
    answer = caller.sure("GET", path)
    if answer.status != 200:
        raise NeverAnswered(f"GET {path}: {answer.status} {answer.code}")
    return answer.document


def _listing(caller: Caller, path: str) -> list[Line]:
    """All of a list, newest first."""
    items: list[Line] = []
    cursor = ""
    while True:
        page = _read(caller, f"{path}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        items += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return items
