"""Compares the ledger of a wallet, read over HTTP, with the answers to its clients.

The rules are those of docs/billing.md; nothing of the product is imported. The hash chain is recomputed.
"""

from collections import defaultdict
from collections.abc import Callable

from tests.faults.harness.answer_log import AnswerLog
from tests.faults.harness.api_client import ApiClient, NeverAnswered
from tests.faults.harness.terms import MS_PER_MINUTE, LeaseTerms
from tests.faults.oracle.findings import CHAINED, Findings, Line, statement

# A lease may cost more than rate x time: it is rounded up, and a last rest buys at least a millisecond.
ROUNDING_MILLIPOINTS = 3
LEASES = ("lease", "unserved")
SETTLEMENTS = ("served_ahead", "unserved_credit")
# How far a session may be served ahead of what it has paid.
ALLOWANCE_MS = 8_000
READS_MAX = 5


class WalletCheck:
    """All checks of one wallet. Run it while no client changes it; its settlements may go on."""

    def __init__(self, client: ApiClient, answers: AnswerLog, terms: LeaseTerms) -> None:
        self._client = client
        self._answers = answers
        self._terms = terms
        self.findings = Findings()
        self.lines: list[Line] = []
        self._by_id: dict[str, Line] = {}

    def run(self) -> Findings:
        """Run all checks."""
        try:
            self._check_all()
        except NeverAnswered as error:
            self.findings.check("answers", False, f"the check could not continue: {error}")
        self.findings.violations += [f"while running: {what}" for what in self._answers.violations]
        return self.findings

    def _check_all(self) -> None:
        found = self.findings
        wallet, state, listed, records = self._read_unchanged()
        self._by_id = {line["entry_id"]: line for line in self.lines}
        found.check("entry ids once", len(self._by_id) == len(self.lines), "an entry id recurs in the ledger")
        actual = (wallet["version"], wallet["balance_millipoints"])
        found.check(
            "balance = sum of the ledger", actual == (state["version"], state["balance_millipoints"]), f"{actual}"
        )
        same = [{name: line[name] for name in CHAINED} for line in self.lines]
        found.check("statement = list", listed == same, "the list /me/ledger differs from the statement")
        self._balance_follows_from_answers(wallet["balance_millipoints"])
        for check in (self._answers_are_kept, self._versions_match, self._lines_are_explained):
            check()
        self._sessions_add_up(wallet, records)

    def _read_unchanged(self) -> tuple[Line, Line, list[Line], dict[str, Line]]:
        """Return wallet, closing state, ledger and sessions, read while no settlement changed them."""
        for _ in range(READS_MAX):
            found = Findings()
            wallet = _read(self._client, "/me/wallet")
            self.lines, state = statement(self._client, found, self._answers.user_id)
            listed = _listing(self._client, "/me/ledger")[::-1]
            records = {each["session_id"]: each for each in _listing(self._client, "/me/sessions")}
            if _read(self._client, "/me/wallet")["version"] == wallet["version"]:
                self.findings.add(found)
                return wallet, state, listed, records
        raise NeverAnswered(f"the wallet changed during each of {READS_MAX} reads")

    def _balance_follows_from_answers(self, actual: int) -> None:
        found, answers = self.findings, self._answers
        deltas = {f"{session_id}.{seq}": -sale.charged_millipoints for (session_id, seq), sale in answers.sales.items()}
        deltas |= {f"p.{payment_id}": answers.payments[payment_id] for payment_id in answers.acknowledged_payments}
        deltas |= {f"{session_id}.end": end["refunded_millipoints"] for session_id, end in answers.ended.items()}
        unanswered_lines = [line["delta_millipoints"] for line in self.lines if line["entry_id"] not in deltas]
        found.balance_answered, found.balance_unanswered = sum(deltas.values()), sum(unanswered_lines)
        found.unanswered_lines, found.balance_actual = len(unanswered_lines), actual
        expected = found.balance_answered + found.balance_unanswered
        found.check("balance = sum of answers", expected == actual, f"{expected}, not {actual}")

    def _answers_are_kept(self) -> None:
        """Each acknowledged operation is in the ledger with the answered amount."""
        found, answers = self.findings, self._answers
        for (session_id, seq), sale in answers.sales.items():
            line = self._by_id.get(f"{session_id}.{seq}", {})
            kind = "unserved" if sale.outcome == "unserved" else "lease"
            actual = (line.get("kind"), line.get("delta_millipoints"))
            found.check("acknowledged leases", actual == (kind, -sale.charged_millipoints), f"{sale} is not {line}")
            until_ms = line.get("at_ms", 0) + self._terms.ahead_ms
            found.check("paid until now + horizon + lease at most", sale.paid_until_ms <= until_ms, f"{sale} {line}")
        for (session_id, seq), charged in answers.replays.items():
            line = self._by_id.get(f"{session_id}.{seq}", {})
            actual = line.get("delta_millipoints")
            found.check("cost of repeated beats", actual == -charged, f"{charged} is not {line}")
        for payment_id in answers.acknowledged_payments:
            line = self._by_id.get(f"p.{payment_id}", {})
            paid = answers.payments[payment_id]
            found.check("acknowledged payments", line.get("delta_millipoints") == paid, f"{payment_id} {paid}: {line}")
        for session_id, end in answers.ended.items():
            line = self._by_id.get(f"{session_id}.end", {})
            actual = line.get("delta_millipoints")
            found.check("acknowledged ends", actual == end["refunded_millipoints"], f"{end} is not {line}")

    def _versions_match(self) -> None:
        """Answers that were read during the run match the ledger at their versions."""
        by_version = {line["version"]: line for line in self.lines}
        for name, known in (("balance_millipoints", self._answers.balances), ("hash", self._answers.hashes)):
            for version, value in known.items():
                if version:
                    actual = by_version.get(version, {}).get(name)
                    self.findings.check(
                        "wallets and statements read during the run", actual == value, f"{version}: {value}"
                    )

    def _lines_are_explained(self) -> None:
        """Each line of the ledger was requested."""
        explain: dict[str, Callable[[Line], bool]] = {
            "lease": self._is_lease,
            "unserved": self._is_lease,
            "refund": lambda line: line["session_id"] in self._answers.sessions and line["delta_millipoints"] >= 0,
            "credit": lambda line: self._answers.payments.get(line["payment_id"]) == line["delta_millipoints"],
            "adjustment": lambda line: self._answers.payments.get(line["payment_id"]) == line["delta_millipoints"],
            # Nothing reverses a payment in these runs.
            "reversal": lambda line: False,
            "outage_credit": lambda line: (
                line["session_id"] in self._answers.sessions and line["delta_millipoints"] > 0
            ),
            "served_ahead": lambda line: self._is_settlement(line) and line["delta_millipoints"] <= 0,
            "unserved_credit": lambda line: self._is_settlement(line) and line["delta_millipoints"] > 0,
            "debt_payment": self._is_debt_payment,
        }
        for line in self.lines:
            self.findings.check("lines explained", explain[line["kind"]](line), f"{line}")

    def _is_settlement(self, line: Line) -> bool:
        session_id = line["session_id"]
        return session_id in self._answers.sessions and line["entry_id"] == f"{session_id}.settled"

    def _is_debt_payment(self, line: Line) -> bool:
        """Return whether the start that follows directly paid a debt."""
        lease = self._by_id.get(line["entry_id"].removeprefix("d.") + ".1", {})
        return line["delta_millipoints"] < 0 and lease.get("version") == line["version"] + 1

    def _is_lease(self, line: Line) -> bool:
        session_id, seq, charged = line["session_id"], line["seq"], -line["delta_millipoints"]
        asked = (session_id, seq) in self._answers.sent_beats or seq == 1
        if session_id not in self._answers.sessions or not asked or line["entry_id"] != f"{session_id}.{seq}":
            return False
        if line["kind"] == "unserved":
            return charged == 0
        # A lease that is not whole costs the exact rest of the balance.
        whole = self._terms.charge_millipoints
        return charged == whole or (0 < charged < whole and line["balance_millipoints"] == 0)

    def _sessions_add_up(self, wallet: Line, records: dict[str, Line]) -> None:
        found = self.findings
        of_session: defaultdict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line["session_id"]:
                of_session[line["session_id"]].append(line)
        active = {each["session_id"]: each for each in wallet["sessions"]}
        found.check("sessions", set(records) == set(of_session), f"{set(records) ^ set(of_session)} in one place only")
        found.check(
            "sessions", self._answers.sessions <= set(records), f"lost: {self._answers.sessions - set(records)}"
        )
        debt = sum(record["settled_debt_millipoints"] or 0 for record in records.values())
        debt += sum(line["delta_millipoints"] for line in self.lines if line["kind"] == "debt_payment")
        found.check("debt", wallet["debt_millipoints"] == debt, f"{wallet['debt_millipoints']} is not {debt}")
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
            actual = live["charged_millipoints"] if live else None
            found.check("no end before the end", not ends, f"{name} has a refund and is active")
        else:
            actual = record.get("charged_millipoints")
            after = lines[ends[0] + 1 :] if ends else []
            settled = [line for line in lines if line["kind"] in SETTLEMENTS]
            one_each = len(ends) == 1 and len(settled) <= 1 and after == settled
            found.check("one end, then a settlement", one_each, f"{name}: {lines}")
            refund = lines[ends[-1]]["delta_millipoints"] if ends else None
            found.check("refund as recorded", record.get("refunded_millipoints") == refund, f"{record} {lines}")
            end = self._answers.ended.get(name, record)
            at_end = net + sum(line["delta_millipoints"] for line in settled)
            # An end that is repeated long after is answered with the settled cost.
            found.check("end as answered", end["charged_millipoints"] in (at_end, net), f"{end}: {at_end}, {net}")
            self._settled(record, settled)
        found.check("charged - refunded", actual == net and net >= 0, f"{name}: {actual} is not {net}")
        self._bounded(lines, record, net)

    def _settled(self, record: Line, settled: list[Line]) -> None:
        """Check that the record has the amount of the settlement's line, with the part that became debt."""
        due = (record["settled_millipoints"] or 0) + (record["settled_debt_millipoints"] or 0)
        delta = sum(line["delta_millipoints"] for line in settled)
        self.findings.check("settlement as recorded", due == delta, f"{record} {settled}")

    def _bounded(self, lines: list[Line], record: Line, net: int) -> None:
        """Check the bound `rate * (elapsed + horizon + lease)`, where `elapsed` ends with the last lease.

        A settlement may add the allowance.
        """
        leases = [line for line in lines if line["kind"] in LEASES]
        elapsed_ms = leases[-1]["at_ms"] - record.get("started_at_ms", leases[0]["at_ms"])
        ahead_ms = self._terms.ahead_ms + ALLOWANCE_MS * (lines[-1]["kind"] == "served_ahead")
        most = self._terms.rate_millipoints_per_minute * (elapsed_ms + ahead_ms) / MS_PER_MINUTE
        most += ROUNDING_MILLIPOINTS * len(leases)
        self.findings.check("rate * (elapsed + horizon + lease) at most", net <= most, f"{net} > {most}: {record}")


def _read(client: ApiClient, path: str) -> Line:
    answer = client.send("GET", path)
    if answer.status != 200:
        raise NeverAnswered(f"GET {path}: {answer.status} {answer.code}")
    return answer.document


def _listing(client: ApiClient, path: str) -> list[Line]:
    """Return all items of a list, newest first."""
    items: list[Line] = []
    cursor = ""
    while True:
        page = _read(client, f"{path}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        items += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return items
