"""The timeline of a user."""

from __future__ import annotations

from typing import Any

from chalicelib.api.models.common import Answer
from chalicelib.api.models.playback import Settled
from chalicelib.api.models.wallets import PaymentAnswer
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.sessions import SessionKind
from chalicelib.domain.timeline import EventKind


class TimelineSession(Settled):
    """A session. Its cost and what follows are null while it is active."""

    session_id: str
    stream_id: str
    kind: SessionKind
    active: bool
    rate_millipoints_per_minute: int
    debt_payment_millipoints: int
    ended_at_ms: int | None
    end_reason: EndReason | None
    charged_millipoints: int | None
    refunded_millipoints: int | None
    adjusted_millipoints: int
    watched_ms: int | None


class TimelineLogin(Answer):
    """The client of a login."""

    ip: str
    user_agent: str


class TimelineAct(Answer):
    """An act of an operator or a service key (`key:<id>`) on the account, as in the audit log, without its address.

    `by_email` is null for keys and erased accounts.
    """

    by_user_id: str
    by_email: str | None
    action: str
    target: str
    before: dict[str, Any]
    after: dict[str, Any]
    details: dict[str, Any]


class TimelineItem(Answer):
    """An event. Of `session`, `payment`, `login` and `act`, the one of its `kind` is set, and the others are null.

    A session is listed at its start, a payment with its reversal at the time of the payment.
    """

    at_ms: int
    kind: EventKind
    event_id: str
    session: TimelineSession | None
    payment: PaymentAnswer | None
    login: TimelineLogin | None
    act: TimelineAct | None
