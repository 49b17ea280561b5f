"""Error responses, counted by code and route."""

from dataclasses import dataclass

# A row is deleted this long after its error was last returned.
KEPT_DAYS = 30
# Rows that are listed of a status class. Codes and routes are fixed, so there are fewer.
LISTED_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class ErrorKind:
    """What one row counts. `route` is the path as it is declared, without ids."""

    status: int
    code: str
    method: str
    route: str

    @property
    def status_class(self) -> str:
        """`4xx` or `5xx`."""
        return f"{self.status // 100}xx"


@dataclass(frozen=True, kw_only=True)
class ErrorCount:
    """How often an error was returned since `first_at_ms`.

    `last_request_id` is the request of the last one, None if it had no id; the log has its lines. `last_minute_ms` is
    the minute of `last_at_ms`.
    """

    status: int
    code: str
    method: str
    route: str
    count: int
    first_at_ms: int
    last_at_ms: int
    last_minute_ms: int
    last_request_id: str | None
