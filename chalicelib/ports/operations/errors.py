"""Counts of error responses by code and route."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.operations.error_counts import ErrorCount, ErrorKind


class Errors(Protocol):
    """Error counts, summed in the process and flushed now and then. They survive restarts.

    Counts that were not flushed are lost with their process.
    """

    def add(self, kind: ErrorKind, request_id: str) -> None:
        """Count an error response. `request_id` may be empty."""

    def flush_if_due(self) -> None:
        """Write the counts if it is time. Never fails: what could not be written stays for the next time."""

    def listing(self, status_class: str) -> Sequence[ErrorCount]:
        """Return the counts of `4xx` or `5xx`, those of this process included, at most `LISTED_MAX`."""
