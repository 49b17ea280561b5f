"""Operations and views: what was requested and answered, and what the store holds afterwards.

An operation is one request of a client or an operator, with its faults and its answer. A view is the state of one
viewer in the store, read without faults. The invariants compare the two.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Entry, Page, Wallet
from tests.faults.harness.environment import NO_CAP, Outage, StreamTerms
from tests.faults.harness.store_faults import Fault
from tests.faults.oracle.settling import SettlingTerms

_ticks = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class LeaseAnswer:
    """The session that a start, a beat or a renewal returned."""

    session_id: str
    seq: int
    outcome: str
    charged: int
    balance: int
    paid_until_ms: int
    token: str


@dataclass(frozen=True, kw_only=True)
class EndAnswer:
    """The end of a session, now or before."""

    session_id: str
    reason: str
    charged: int
    refunded: int
    reserved: int = 0


@dataclass(frozen=True, kw_only=True)
class PaymentAnswer:
    """A success of a payment."""

    balance: int


@dataclass(frozen=True, kw_only=True)
class ReversalAnswer:
    """A reversed payment, now or before: what was taken back, and what the wallet lacked."""

    taken: int
    shortfall: int


@dataclass(frozen=True, kw_only=True)
class MediaAnswer:
    """Media was allowed. `at_ms` is the time of the function instance."""

    at_ms: int


@dataclass(frozen=True, kw_only=True)
class LedgerAnswer:
    """A ledger, oldest first, and the wallet that was read just before."""

    wallet: Wallet
    entries: list[Entry]


@dataclass(frozen=True, kw_only=True)
class WorkAnswer:
    """A success of a scheduled run."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error of the product. `ended` is the session whose end it reports."""

    code: str
    ended: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnknownOutcome:
    """No answer, or one that says the outcome is unknown."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Crash:
    """An error that the product does not declare."""

    error: str


Answer = (
    LeaseAnswer
    | EndAnswer
    | PaymentAnswer
    | ReversalAnswer
    | MediaAnswer
    | LedgerAnswer
    | WorkAnswer
    | Refusal
    | UnknownOutcome
    | Crash
)


def ended_session(answer: Answer) -> str | None:
    """Return the session whose end an answer reports."""
    if isinstance(answer, EndAnswer):
        return answer.session_id
    return answer.ended if isinstance(answer, Refusal) else None


@dataclass(kw_only=True)
class Operation:
    """A request. Ticks number requests and answers, so that they can be ordered."""

    kind: str
    user_id: str | None = None
    session_id: str | None = None
    seq: int | None = None
    stream_id: str | None = None
    # The idempotency key of a start.
    key: str | None = None
    payment_id: str | None = None
    millipoints: int = 0
    token_until_ms: int = 0
    # How often it may have been executed: a duplicate counts twice.
    times: int = 1
    began_ms: int = 0
    answered_ms: int = 0
    began_tick: int = field(default_factory=lambda: next(_ticks))
    answered_tick: int = 0
    injected: list[Fault] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: UnknownOutcome(why="under way"))

    def record_answer(self, answer: Answer, now_ms: int) -> Operation:
        self.answer, self.answered_ms, self.answered_tick = answer, now_ms, next(_ticks)
        return self

    @property
    def lease(self) -> LeaseAnswer | None:
        """Return the answer of a start or beat that bought a lease, now or before."""
        bought = isinstance(self.answer, LeaseAnswer) and self.kind in ("start", "beat")
        return self.answer if bought and self.answer.outcome not in ("early", "stale") else None


@dataclass(kw_only=True)
class Viewer:
    """A viewer, with all operations about them and what their client knows."""

    user_id: str
    # The daily cap.
    cap: int = NO_CAP
    operations: list[Operation] = field(default_factory=list)
    # The last answered seq of each acknowledged session.
    seqs: dict[str, int] = field(default_factory=dict)
    # Sessions whose end was reported.
    ended: set[str] = field(default_factory=set)
    # The newest play token of a session, and the end of its paid time when the token was issued.
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    # All amounts that were requested with a payment id.
    payments: dict[str, set[int]] = field(default_factory=dict)
    # The session that an adjustment with this payment id was first requested for.
    adjusted: dict[str, str] = field(default_factory=dict)
    # Whether an operator has begun to erase the account.
    erased: bool = False
    # Sessions that meet no faults.
    fault_free: set[str] = field(default_factory=set)

    @property
    def sessions(self) -> list[str]:
        return list(self.seqs)

    def of(self, *kinds: str) -> Iterator[Operation]:
        return (operation for operation in self.operations if operation.kind in kinds)

    def on(self, session_id: str) -> Iterator[Operation]:
        """Return the operations of a session, with its start."""
        for operation in self.operations:
            if operation.session_id == session_id or (operation.lease and operation.lease.session_id == session_id):
                yield operation


@dataclass(frozen=True, kw_only=True)
class View:
    """The state of one viewer in the store, read without faults while nothing else runs."""

    wallet: Wallet
    entries: list[Entry]
    # All pages, in order.
    pages: list[Page]
    records: dict[str, SessionRecord]
    # Payments in the store: id -> (user, millipoints, session).
    payments: dict[str, tuple[str, int, str | None]]
    # Reversed payments in the store: id -> (taken back, shortfall).
    reversals: dict[str, tuple[int, int]]
    now_ms: int
    terms: dict[str, StreamTerms]
    # Outages by stream, oldest first.
    outages: dict[str, tuple[Outage, ...]]
    settling: SettlingTerms
