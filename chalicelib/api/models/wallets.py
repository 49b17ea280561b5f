"""Wallets, ledgers and payments."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import PaymentId
from chalicelib.domain.money.chain import ChainState
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionKind
from chalicelib.domain.money.wallets import EntryKind


class WalletSession(Answer):
    """An active session in a wallet."""

    session_id: str
    stream_id: str
    kind: SessionKind
    started_at_ms: int
    rate_millipoints_per_minute: int
    paid_until_ms: int
    charged_millipoints: int
    seq: int


class WalletAnswer(Answer):
    """A wallet. The daily cap (null: none) counts by UTC days; refunds do not count as spent.

    `debt_millipoints` is what settlements could not take from the balance; the next start pays it.
    `top_up_url` is where the user buys points, null if the stage has no such page.
    """

    user_id: str
    balance_millipoints: int
    debt_millipoints: int
    version: int
    daily_cap_millipoints: int | None
    spent_today_millipoints: int
    day_ends_at_ms: int
    top_up_url: str | None
    sessions: list[WalletSession]


class LedgerItem(Answer):
    """A change of a wallet. Versions have no gaps."""

    version: int
    entry_id: str
    delta_millipoints: int
    kind: EntryKind
    at_ms: int
    session_id: str | None
    stream_id: str | None
    seq: int | None
    payment_id: str | None
    note: str | None


class DailyCapRequest(Request):
    """The most that all sessions together may spend on a UTC day; null for no cap."""

    daily_cap_millipoints: int | None = Field(ge=0, le=MILLIPOINTS_MAX)


class StatementQuery(Request):
    """The format, and the version of the ledger after which to begin."""

    format: Literal["json", "csv"] = "json"
    after_version: int = Field(default=0, ge=0, le=10**15)


class StatementLine(LedgerItem):
    """One line of a statement, with the balance and the hash after it."""

    balance_millipoints: int
    hash: str


class StatementAnswer(Answer):
    """Consecutive lines of a ledger, oldest first, that can be checked offline. More follow `next_after_version`."""

    format: Literal["tollcast-statement-1"]
    user_id: str
    created_at_ms: int
    opening: ChainState
    lines: list[StatementLine]
    closing: ChainState
    next_after_version: int | None


class CreditRequest(Request):
    """Points to add to a wallet or, negative, to remove: exactly once for each payment id."""

    millipoints: int = Field(ge=-MILLIPOINTS_MAX, le=MILLIPOINTS_MAX)
    payment_id: PaymentId
    note: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _not_zero(self) -> CreditRequest:
        if self.millipoints == 0:
            raise ValueError("millipoints must not be 0")
        return self
