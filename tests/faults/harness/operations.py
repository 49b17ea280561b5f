"""What is known from the outside: who asked for what, when, under which faults, and what was answered.

A deed is one request of a client or an operator. A view is what the store says about one viewer afterwards, read
without faults. `invariants.py` holds the two against each other; nothing here looks into the services.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from chalicelib.domain.sessions import SessionRecord
from chalicelib.domain.wallets import Entry, Page, Wallet
from tests.faults.harness.environment import NO_CAP, Down, Terms
from tests.faults.harness.store_faults import Fault

_ticks = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Sold:
    """A start, a beat or a renewal was answered with the session as it stands."""

    session_id: str
    seq: int
    outcome: str
    charged: int
    balance: int
    paid_until_ms: int
    token: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A session was ended, now or before."""

    session_id: str
    reason: str
    charged: int
    refunded: int


@dataclass(frozen=True, kw_only=True)
class Paid:
    """A payment was acknowledged."""

    balance: int


@dataclass(frozen=True, kw_only=True)
class Served:
    """Media was allowed, by a clock that said `at_ms`."""

    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The ledger as it was read, oldest first, and the wallet as it was read just before."""

    wallet: Wallet
    entries: list[Entry]


@dataclass(frozen=True, kw_only=True)
class Done:
    """Work of the schedule was done."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Refused in the product's own words. `ended` is the session whose end was told."""

    code: str
    ended: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """No answer: the process died, or said that it does not know."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Crashed:
    """An error that is none of the product's own."""

    error: str


Answer = Sold | Ended | Paid | Served | Listed | Done | Refused | Unknown | Crashed


@dataclass(kw_only=True)
class Deed:
    """One request. `tick` numbers count requests sent and answers received, for saying what was before what."""

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
    # How often it may have been carried out as one of its own, for instance doubled on the way.
    times: int = 1
    began_ms: int = 0
    answered_ms: int = 0
    began_tick: int = field(default_factory=lambda: next(_ticks))
    answered_tick: int = 0
    injected: list[Fault] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: Unknown(why="under way"))

    def answered(self, answer: Answer, now_ms: int) -> Deed:
        self.answer, self.answered_ms, self.answered_tick = answer, now_ms, next(_ticks)
        return self

    @property
    def sold(self) -> Sold | None:
        """The answer if this start or beat bought or was told what it had bought."""
        bought = isinstance(self.answer, Sold) and self.kind in ("start", "beat")
        return self.answer if bought and self.answer.outcome not in ("early", "stale") else None  # type: ignore[union-attr,return-value]


@dataclass(kw_only=True)
class Viewer:
    """A viewer as their own machine knows them, and all deeds that concern them."""

    user_id: str
    # What all their sessions may cost in a day.
    cap: int = NO_CAP
    deeds: list[Deed] = field(default_factory=list)
    # Sessions that were ever acknowledged, and the last seq that was answered.
    seqs: dict[str, int] = field(default_factory=dict)
    # Sessions whose end was told.
    ended: set[str] = field(default_factory=set)
    # The newest play token of a session and how long the lease was paid for when it was issued.
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    # Every amount that was ever asked for under a payment id.
    payments: dict[str, set[int]] = field(default_factory=dict)
    # The session that a payment id was first asked for, where it is an adjustment of one.
    adjusted: dict[str, str] = field(default_factory=dict)
    # Sessions that meet no faults.
    calm: set[str] = field(default_factory=set)

    @property
    def sessions(self) -> list[str]:
        return list(self.seqs)

    def of(self, *kinds: str) -> Iterator[Deed]:
        return (deed for deed in self.deeds if deed.kind in kinds)

    def on(self, session_id: str) -> Iterator[Deed]:
        """The deeds on a session, its own start with them."""
        for deed in self.deeds:
            if deed.session_id == session_id or (deed.sold and deed.sold.session_id == session_id):
                yield deed


@dataclass(frozen=True, kw_only=True)
class View:
    """What the store says about one viewer, read without faults while nothing else runs."""

    wallet: Wallet
    entries: list[Entry]
    # Each page that was moved, in order.
    pages: list[Page]
    records: dict[str, SessionRecord]
    # Payments that the store has: id -> (user, millipoints, session).
    payments: dict[str, tuple[str, int, str | None]]
    now_ms: int
    terms: dict[str, Terms]
    # When the streams were down, oldest first.
    outages: dict[str, tuple[Down, ...]]
