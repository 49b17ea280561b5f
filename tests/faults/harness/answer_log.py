"""The requests of one wallet's clients, and the answers to them. `wallet_check` compares the ledger with it."""

import threading
from dataclasses import dataclass, field
from typing import Any

from tests.faults.harness.api_client import Answer

SOLD = ("on_time", "late", "poor", "unserved")
UNSOLD = ("early", "stale")
Beat = tuple[str, int]


@dataclass(frozen=True)
class Sale:
    """A lease that an answer says was bought. An `unserved` one costs nothing."""

    outcome: str
    charged_millipoints: int
    paid_until_ms: int


@dataclass
class AnswerLog:
    """All requests and answers about one wallet. Safe to use from many threads."""

    user_id: str
    sent_beats: set[Beat] = field(default_factory=set)
    sales: dict[Beat, Sale] = field(default_factory=dict)
    replays: dict[Beat, int] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, int] = field(default_factory=dict)
    acknowledged_payments: set[str] = field(default_factory=set)
    balances: dict[int, int] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def record_beat_sent(self, session_id: str, seq: int) -> None:
        """Call this before a beat is sent."""
        with self._lock:
            self.sent_beats.add((session_id, seq))

    def record_beat(self, answer: Answer, seq: int | None = None) -> None:
        """Record a success: of a beat with this `seq`, or of a start (None)."""
        document = answer.document
        outcome, charged = document["outcome"], document["charged_millipoints"]
        beat = (document["session_id"], document["seq"])
        with self._lock:
            self.sessions.add(document["session_id"])
            if outcome in SOLD:
                self._check(beat not in self.sales, f"{beat} was sold twice")
                self._check(seq in (None, document["seq"]), f"a beat with seq {seq} was answered with {beat}")
                self.sales[beat] = Sale(outcome, charged, document["paid_until_ms"])
            elif outcome == "replay":
                before = self.replays.setdefault(beat, charged)
                self._check(before == charged, f"{beat} was answered with a cost of {before} and of {charged}")
            else:
                self._check(outcome in UNSOLD and charged == 0, f"{outcome} was answered with a cost of {charged}")
            self._check(document["balance_millipoints"] >= 0, f"a balance of {document['balance_millipoints']}")

    def record_payment_sent(self, payment_id: str, millipoints: int) -> None:
        """Call this before a payment is sent, for the first time or again."""
        with self._lock:
            self.payments.setdefault(payment_id, millipoints)

    def record_payment(self, payment_id: str, answer: Answer) -> None:
        with self._lock:
            self.acknowledged_payments.add(payment_id)
        self.record_wallet(answer)

    def record_end(self, answer: Answer) -> None:
        """Record the success of a stop. Each answer to it has to be the same."""
        document = {name: value for name, value in answer.document.items() if name != "balance_millipoints"}
        with self._lock:
            before = self.ended.setdefault(document["session_id"], document)
            self._check(before == document, f"an end was answered with {before} and with {document}")

    def record_wallet(self, answer: Answer) -> None:
        """Record the balance of a wallet at a version."""
        self._at(self.balances, answer.document["version"], answer.document["balance_millipoints"])

    def record_state(self, state: dict[str, Any]) -> None:
        """Record the closing state of a statement that was fetched during the run."""
        self._at(self.balances, state["version"], state["balance_millipoints"])
        self._at(self.hashes, state["version"], state["hash"])

    def record_violation(self, what: str) -> None:
        self._check(False, what)

    def _at(self, known: dict[int, Any], version: int, value: Any) -> None:
        with self._lock:
            before = known.setdefault(version, value)
            self._check(before == value, f"at version {version} the wallet was answered with {before} and {value}")

    def _check(self, holds: bool, what: str) -> None:
        if not holds:
            with self._lock:
                self.violations.append(what)
