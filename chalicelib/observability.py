"""Structured logs of the functions: one JSON line for each event (powertools)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """Return the process's logger. Never log a token, a password or a signed query."""
    from aws_lambda_powertools import Logger

    # Chalice has a logger with the app's name, which would write each line twice.
    return Logger(service="tollcast-functions", utc=True)


def report_error(message: str, **values: Any) -> None:
    """Log an error with values by name."""
    logger().error(message, **values)
