"""Wallets, ledgers and payments."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from chalicelib.api.models.common import Answer, Request, TimeRangeQuery
from chalicelib.api.models.forms import Form, Label, PaymentId, UserId
from chalicelib.domain.money.chain import ChainState
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionKind
from chalicelib.domain.money.wallets import EntryKind

SEARCH_WORDS = "must have 2 to 64 letters, digits and _ : -, as a payment id begins"
Note = Annotated[str, StringConstraints(max_length=200)]


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


class PointsRequest(Request):
    """Points to add or, negative, to remove: exactly once for each payment id."""

    millipoints: int = Field(ge=-MILLIPOINTS_MAX, le=MILLIPOINTS_MAX)
    payment_id: PaymentId
    note: Note = ""

    @model_validator(mode="after")
    def _not_zero(self) -> PointsRequest:
        if self.millipoints == 0:
            raise ValueError("millipoints must not be 0")
        return self


class CreditRequest(PointsRequest):
    """Points to add to a wallet or, negative, to remove: exactly once for each payment id.

    A service key may only add. `source` names where the payment comes from. By default it is `operator`, or the name of
    the service key.
    """

    source: Label | None = None


class PaymentAnswer(Answer):
    """A payment. The fields of its reversal are null unless it was reversed.

    `reversed_millipoints` were taken back from the wallet; the wallet no longer held the `shortfall_millipoints`, which
    are no debt of the user.
    """

    payment_id: str
    user_id: str
    millipoints: int
    source: str
    note: str
    by_user_id: str
    at_ms: int
    session_id: str | None
    reversed_at_ms: int | None
    reversed_by_user_id: str | None
    reversed_millipoints: int | None
    shortfall_millipoints: int | None
    reversal_note: str | None


class PaymentsQuery(TimeRangeQuery):
    """Filter of payments. `q` is how the payment id begins."""

    user_id: UserId | None = None
    source: Label | None = None
    q: Annotated[str, Form(re.compile(r"[A-Za-z0-9_:-]{2,64}"), SEARCH_WORDS)] | None = None


class ReverseRequest(Request):
    """The reversal of a payment. With `disable_account` the user's logins and sessions end as well."""

    disable_account: bool = False
    note: Note = ""
