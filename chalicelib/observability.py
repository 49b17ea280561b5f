"""Structured logs of the functions, one JSON line an event (powertools)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """This process's logger. Never give it a token, a password or a signed query."""
    from aws_lambda_powertools import Logger

    # Not the app's name: Chalice has a logger of that name, and each line would be written twice.
    return Logger(service="tollcast-functions", utc=True)
