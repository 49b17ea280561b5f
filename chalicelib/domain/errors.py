"""The errors that a request can get.

Clients match on `code`, which is stable. Those of money are in `domain/money/errors.py`. `chalicelib/problems.py` maps
all to HTTP statuses.
"""

from typing import Any, ClassVar, Self


class DomainError(Exception):
    """Base of all errors. `detail` is for people; `extra` holds further members of the problem document."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Invalid(DomainError):
    """The request is well-formed but not allowed. `errors` in `extra` names each field and what it allows."""

    code = "invalid_request"

    @classmethod
    def field(cls, name: str, detail: str) -> Self:
        """Return the error of one field."""
        return cls(f"{name}: {detail}", errors=[{"field": name, "detail": detail}])


class WrongCursor(Invalid):
    """The cursor is not from this list."""

    def __init__(self) -> None:
        errors = [{"field": "cursor", "detail": "use next_cursor of the page before"}]
        super().__init__("The cursor is not from this list.", errors=errors)


class BodyTooLarge(Invalid):
    """The body is larger than allowed."""

    code = "body_too_large"


class SourceUrlRefused(Invalid):
    """The URL of an operator's source is not allowed. The detail contains no secret part of it."""

    code = "source_refused"


class Unauthenticated(DomainError):
    """Credentials are missing or invalid."""

    code = "token_invalid"


class TokenExpired(Unauthenticated):
    """The token was valid but has expired."""

    code = "token_expired"


class InvalidCredentials(Unauthenticated):
    """Unknown email, wrong password or disabled account. All three get the same response on purpose."""

    code = "invalid_credentials"


class KeyInvalid(Unauthenticated):
    """The service key is unknown, or its secret is wrong or was replaced."""

    code = "key_invalid"


class KeyRevoked(Unauthenticated):
    """An operator revoked the service key."""

    code = "key_revoked"


class KeyExpired(Unauthenticated):
    """The service key has expired."""

    code = "key_expired"


class Forbidden(DomainError):
    """The caller is known but not allowed to do this."""

    code = "forbidden"


class CrossSite(Forbidden):
    """A browser sends the request for another site than ours."""

    code = "cross_site"


class KeyScope(Forbidden):
    """The service key has no scope for this route."""

    code = "key_scope"


class BoundElsewhere(Forbidden):
    """The session plays with another client; `detail` says how to continue with this one."""

    code = "session_bound_elsewhere"


class Blocked(Forbidden):
    """An operator has blocked the user until `extra["until_ms"]`, on one stream or all (`extra["stream_id"]` None)."""

    code = "blocked"


class WrongPassword(Forbidden):
    """The logged-in caller gave a wrong password."""

    code = "wrong_password"


class NotFound(DomainError):
    """The resource does not exist or belongs to another user."""

    code = "not_found"


class UserNotFound(NotFound):
    """No such user."""

    code = "user_not_found"


class StreamNotFound(NotFound):
    """No such stream, or it is archived."""

    code = "stream_not_found"


class SessionNotFound(NotFound):
    """No such session, or it belongs to another user."""

    code = "session_not_found"


class BlockNotFound(NotFound):
    """No such block, or it is over."""

    code = "block_not_found"


class KeyNotFound(NotFound):
    """No such service key."""

    code = "key_not_found"


class Conflict(DomainError):
    """The current state does not allow this."""

    code = "conflict"


class StreamNotLive(Conflict):
    """The stream is not delivered, so leases are not sold."""

    code = "stream_not_live"

    @classmethod
    def of(cls, stream_id: str) -> Self:
        """Return the error of a start on this stream."""
        return cls(f"The stream {stream_id} is not live. Nothing was charged. Try again later.")


class StreamExists(Conflict):
    """The stream id is in use."""

    code = "stream_exists"


class EmailTaken(Conflict):
    """Another account has this email."""

    code = "email_taken"


class SessionLimit(Conflict):
    """The user has as many active sessions as allowed. `extra["sessions"]` lists them."""

    code = "session_limit"


class StreamFull(Conflict):
    """The stream has as many viewers as allowed. `extra["sessions"]` lists the caller's own."""

    code = "stream_full"


class IdempotencyMismatch(Conflict):
    """The idempotency key was used for another start."""

    code = "idempotency_mismatch"


class KeyLimit(Conflict):
    """The stage has as many usable service keys as allowed."""

    code = "key_limit"


class SessionActive(Conflict):
    """The session has not ended, so its cost is not known."""

    code = "session_active"


class ChangedMeanwhile(DomainError):
    """An edit named a version that is not the current one. `extra["differing"]` lists the fields, None if unknown."""

    code = "changed_meanwhile"


class TooManyRequests(DomainError):
    """Too many requests; `extra["retry_after_s"]` is the number of whole seconds to wait."""

    code = "too_many_requests"

    def __init__(self, detail: str, wait_ms: int) -> None:
        retry_after_s = max(1, -(-wait_ms // 1000))
        super().__init__(f"{detail} Try again in {retry_after_s} s.", retry_after_s=retry_after_s)


class Busy(DomainError):
    """Concurrent changes won at every try. Nothing was charged; the caller may retry."""

    code = "busy"
