"""Wallets, ledgers and payments."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from chalicelib.api.models.common import Answer, Request, form
from chalicelib.domain import ids
from chalicelib.domain.points import MILLIPOINTS_MAX
from chalicelib.domain.sessions import SessionKind
from chalicelib.domain.wallets import EntryKind

PaymentId = Annotated[str, StringConstraints(pattern=form(ids.PAYMENT_ID.pattern))]


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
    """A wallet as it stands."""

    user_id: str
    balance_millipoints: int
    version: int
    sessions: list[WalletSession]


class LedgerItem(Answer):
    """One change of a wallet; versions have no gaps."""

    version: int
    delta_millipoints: int
    kind: EntryKind
    at_ms: int
    session_id: str | None
    seq: int | None
    payment_id: str | None
    note: str | None


class CreditRequest(Request):
    """Add to a wallet or, negative, take from it: exactly once by its payment id."""

    millipoints: int = Field(ge=-MILLIPOINTS_MAX, le=MILLIPOINTS_MAX)
    payment_id: PaymentId
    note: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _not_zero(self) -> CreditRequest:
        if self.millipoints == 0:
            raise ValueError("millipoints must not be 0")
        return self
