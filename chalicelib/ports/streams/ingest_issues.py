"""Ingest issues with their history."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.streams.issues.ingest_issues import IngestIssue


class IngestIssues(Protocol):
    """The issues of streams: at most one open issue of each type, and closed ones for `HISTORY_DAYS`."""

    def put(self, issue: IngestIssue) -> bool:
        """Store an open issue, or its newest state. Return False if another issue of its type is open."""

    def close(self, issue: IngestIssue) -> bool:
        """Move an issue with `closed_at_ms` to the history. Return False if it is not open."""

    def open_issues(self, stream_id: str) -> Sequence[IngestIssue]:
        """Return all open issues of a stream by a consistent read, in no order."""

    def closed_issues(self, stream_id: str, *, before_id: str | None, limit: int) -> Sequence[IngestIssue]:
        """Return the newest closed issues, newest first, only those with ids below `before_id` if that is given."""
