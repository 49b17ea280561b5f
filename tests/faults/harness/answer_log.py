"""What the clients of one wallet have sent and been told: the model that its ledger is held against."""

import threading
from dataclasses import dataclass, field
from typing import Any

from tests.faults.harness.api_client import Answer

SOLD = ("on_time", "late", "poor", "unserved")
UNSOLD = ("early", "stale")
Beat = tuple[str, int]


@dataclass(frozen=True)
class Sale:
    """A lease that a client was told to have bought; `unserved` ones cost nothing."""

    outcome: str
    charged_millipoints: int
    paid_until_ms: int


@dataclass
class Told:
    """All that is known outside of one wallet. Its methods are for many threads at once."""

    user_id: str
    asked: set[Beat] = field(default_factory=set)
    sold: dict[Beat, Sale] = field(default_factory=dict)
    repeated: dict[Beat, int] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, int] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    balances: dict[int, int] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def asks(self, session_id: str, seq: int) -> None:
        """Before a beat is sent."""
        with self._lock:
            self.asked.add((session_id, seq))

    def beat(self, answer: Answer, seq: int | None = None) -> None:
        """An answer of 200 or 201 to a beat with this `seq`, or (None) to a start."""
        told = answer.document
        outcome, charged = told["outcome"], told["charged_millipoints"]
        beat = (told["session_id"], told["seq"])
        with self._lock:
            self.sessions.add(told["session_id"])
            if outcome in SOLD:
                self._check(beat not in self.sold, f"{beat} was sold twice")
                self._check(seq in (None, told["seq"]), f"a beat with seq {seq} was told to have bought {beat}")
                self.sold[beat] = Sale(outcome, charged, told["paid_until_ms"])
            elif outcome == "replay":
                before = self.repeated.setdefault(beat, charged)
                self._check(before == charged, f"{beat} was told to have cost {before} and {charged}")
            else:
                self._check(outcome in UNSOLD and charged == 0, f"{outcome} was told to have cost {charged}")
            self._check(told["balance_millipoints"] >= 0, f"a balance of {told['balance_millipoints']}")

    def pays(self, payment_id: str, millipoints: int) -> None:
        """Before a payment is sent, for the first time or again."""
        with self._lock:
            self.payments.setdefault(payment_id, millipoints)

    def paid(self, payment_id: str, answer: Answer) -> None:
        """An answer of 200 to a payment."""
        with self._lock:
            self.acknowledged.add(payment_id)
        self.wallet(answer)

    def end(self, answer: Answer) -> None:
        """An answer of 200 to a stop: the same, however often it is asked."""
        told = {name: value for name, value in answer.document.items() if name != "balance_millipoints"}
        with self._lock:
            before = self.ended.setdefault(told["session_id"], told)
            self._check(before == told, f"an end was told as {before} and as {told}")

    def wallet(self, answer: Answer) -> None:
        """A wallet as it stood at some version."""
        self._at(self.balances, answer.document["version"], answer.document["balance_millipoints"])

    def state(self, state: dict[str, Any]) -> None:
        """The end of a statement that was fetched meanwhile."""
        self._at(self.balances, state["version"], state["balance_millipoints"])
        self._at(self.hashes, state["version"], state["hash"])

    def wrong(self, what: str) -> None:
        """Something that must never be."""
        self._check(False, what)

    def _at(self, known: dict[int, Any], version: int, value: Any) -> None:
        with self._lock:
            before = known.setdefault(version, value)
            self._check(before == value, f"at version {version} the wallet was told with {before} and {value}")

    def _check(self, holds: bool, what: str) -> None:
        if not holds:
            with self._lock:
                self.violations.append(what)
