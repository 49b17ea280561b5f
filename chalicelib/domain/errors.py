"""Every way in which a request can be refused, in the product's own words.

A `code` is stable: it is what clients match on. `api/problems.py` holds the one table from these classes to HTTP.
"""

from typing import Any, ClassVar

from chalicelib.domain.end_reasons import EndReason


class DomainError(Exception):
    """Base of all refusals. `detail` is for people; `extra` are more members of the problem document."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Invalid(DomainError):
    """The request is understood but not allowed. `errors` in `extra` names each field and what it allows."""

    code = "invalid_request"


class BodyTooLarge(Invalid):
    """The body is over its bound."""

    code = "body_too_large"


class SourceUrlRefused(Invalid):
    """An operator's source may not be opened. The detail shows no secret part of its URL."""

    code = "source_refused"


class Unauthenticated(DomainError):
    """No credentials, or credentials that prove nothing."""

    code = "token_invalid"


class TokenExpired(Unauthenticated):
    """The token was good, but its time is over."""

    code = "token_expired"


class InvalidCredentials(Unauthenticated):
    """Unknown email, wrong password or disabled account; deliberately the same answer for all three."""

    code = "invalid_credentials"


class Forbidden(DomainError):
    """Known, but not allowed to do this."""

    code = "forbidden"


class BoundElsewhere(Forbidden):
    """The session plays with another client than the one that asks; `detail` says how to go on with this one."""

    code = "session_bound_elsewhere"


class WrongPassword(Forbidden):
    """Who is logged in does not know the account's password."""

    code = "wrong_password"


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"


class UserNotFound(NotFound):
    """No such user."""

    code = "user_not_found"


class StreamNotFound(NotFound):
    """No such stream, or it was archived."""

    code = "stream_not_found"


class SessionNotFound(NotFound):
    """No such playback session, or it belongs to somebody else."""

    code = "session_not_found"


class Conflict(DomainError):
    """The state of things does not allow it now."""

    code = "conflict"


class StreamNotLive(Conflict):
    """The stream is not being delivered, so no lease of it is sold."""

    code = "stream_not_live"


class StreamExists(Conflict):
    """The stream id is taken."""

    code = "stream_exists"


class EmailTaken(Conflict):
    """Another account has this email."""

    code = "email_taken"


class SessionLimit(Conflict):
    """The user has as many active sessions as allowed; `extra["sessions"]` lists those in the way."""

    code = "session_limit"


class StreamFull(Conflict):
    """The stream has as many viewers as its operator allows; `extra["sessions"]` lists one's own of that stream."""

    code = "stream_full"


class IdempotencyMismatch(Conflict):
    """The idempotency key was used before, for another start."""

    code = "idempotency_mismatch"


class PaymentMismatch(Conflict):
    """The payment id was used before, for another amount or another wallet."""

    code = "payment_mismatch"


class InsufficientBalance(Conflict):
    """An adjustment would take the balance below zero."""

    code = "insufficient_balance"


class SessionActive(Conflict):
    """The session goes on, so nobody can say yet what it costs."""

    code = "session_active"


class AdjustmentOutOfBounds(Conflict):
    """It would give back more than the session has cost, or take more than adjustments gave back."""

    code = "adjustment_out_of_bounds"


class WalletFull(Conflict):
    """A top-up would take the balance above what a wallet may hold."""

    code = "wallet_full"


class LeaseNotPaid(Conflict):
    """A fresh play token was asked for outside the paid lease."""

    code = "lease_not_paid"


class LedgerDamaged(DomainError):
    """A ledger's pages do not fit together: something else than this product has written to them."""

    code = "ledger_damaged"


class TooManyRequests(DomainError):
    """Tried too often; `extra["retry_after_s"]` says in how many whole seconds it may be tried again."""

    code = "too_many_requests"

    def __init__(self, detail: str, wait_ms: int) -> None:
        retry_after_s = max(1, -(-wait_ms // 1000))
        super().__init__(f"{detail} Try again in {retry_after_s} s.", retry_after_s=retry_after_s)


class Busy(DomainError):
    """The wallet was changed by others at every try; nothing was charged. Try again."""

    code = "busy"


class SessionOver(DomainError):
    """The session ended. Its end reason is the code."""

    def __init__(self, reason: EndReason, **extra: Any) -> None:
        super().__init__(END_DETAILS[reason], **extra)
        self.reason = reason

    @property
    def code(self) -> str:  # type: ignore[override]
        """The end reason, as everywhere."""
        return self.reason.value


END_DETAILS = {
    EndReason.VIEWER_STOPPED: "The viewer stopped this session.",
    EndReason.BALANCE_EXHAUSTED: "The points have run out. Top up the wallet to watch on.",
    EndReason.MAX_POINTS_REACHED: "The session has spent the most that its viewer allowed.",
    EndReason.DAILY_CAP_REACHED: "The viewer's daily cap is reached. It starts anew at 00:00 UTC.",
    EndReason.KICKED: "An operator ended this session.",
    EndReason.LEASE_EXPIRED: "The paid time has run out and no heartbeat bought more.",
    EndReason.STREAM_PAUSED: "The operator paused the stream.",
    EndReason.STREAM_STOPPED: "The operator stopped the stream.",
    EndReason.SUPERSEDED: "A newer session of the same viewer replaced this one.",
}
