"""Map domain errors to HTTP statuses and RFC 9457 problem documents: the one table of both."""

from typing import Any

from chalicelib.domain import errors
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.errors import DebtOpen, LedgerDamaged, SessionOver
from chalicelib.ports.common import StoreUnavailable

PROBLEM_JSON = "application/problem+json"

# The first match decides, so list a subclass before its base.
STATUS_OF_ERROR: tuple[tuple[type[Exception], int], ...] = (
    (errors.BodyTooLarge, 413),
    (errors.Invalid, 400),
    (errors.Unauthenticated, 401),
    (DebtOpen, 402),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.ChangedMeanwhile, 412),
    (errors.TooManyRequests, 429),
    (errors.Busy, 503),
    (LedgerDamaged, 500),
    (StoreUnavailable, 503),
)
STATUS_OF_END: dict[EndReason, int] = {
    EndReason.BALANCE_EXHAUSTED: 402,
    EndReason.MAX_POINTS_REACHED: 402,
    EndReason.DAILY_CAP_REACHED: 402,
    EndReason.LEASE_EXPIRED: 402,
    EndReason.KICKED: 403,
    EndReason.SUPERSEDED: 403,
    EndReason.STREAM_PAUSED: 410,
    EndReason.STREAM_STOPPED: 410,
    EndReason.VIEWER_STOPPED: 410,
}
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    402: "Payment required",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    412: "Precondition failed",
    413: "Body too large",
    414: "Address too long",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
}


def problem(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """Return a problem document. `code` is stable, `detail` is for people."""
    return {
        "type": f"urn:tollcast:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        **extra,
    }


def problem_of(error: Exception) -> dict[str, Any]:
    """Return the problem document of an error: a 500 without details for an error that the table does not list."""
    if isinstance(error, SessionOver):
        return problem(
            STATUS_OF_END[error.reason], error.code, error.detail, end_reason=error.reason.value, **error.extra
        )
    for kind, status in STATUS_OF_ERROR:
        if isinstance(error, kind):
            if isinstance(error, errors.DomainError):
                return problem(status, error.code, error.detail, **error.extra)
            return problem(status, "unavailable", "A store did not answer; try again.")
    return problem(500, "internal_error", "Something went wrong on our side. It was logged.")
