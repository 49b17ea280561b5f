"""The port `IngestIssues` in memory."""

import threading
from collections.abc import Sequence

from chalicelib.domain.streams.issues.ingest_issues import IngestIssue, IssueType


class MemoryIngestIssues:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, IssueType], IngestIssue] = {}
        self._closed: dict[tuple[str, str], IngestIssue] = {}

    def put(self, issue: IngestIssue) -> bool:
        with self._lock:
            key = issue.stream_id, issue.type
            if self._open.get(key, issue).since_ms != issue.since_ms:
                return False
            self._open[key] = issue
            return True

    def close(self, issue: IngestIssue) -> bool:
        with self._lock:
            found = self._open.get((issue.stream_id, issue.type))
            if found is None or found.since_ms != issue.since_ms:
                return False
            del self._open[issue.stream_id, issue.type]
            self._closed[issue.stream_id, issue.issue_id] = issue
            return True

    def open_issues(self, stream_id: str) -> Sequence[IngestIssue]:
        with self._lock:
            return [issue for (stream, _), issue in self._open.items() if stream == stream_id]

    def closed_issues(self, stream_id: str, *, before_id: str | None, limit: int) -> Sequence[IngestIssue]:
        with self._lock:
            found = [issue for (stream, _), issue in self._closed.items() if stream == stream_id]
        ordered = sorted(found, key=lambda issue: issue.issue_id, reverse=True)
        return [issue for issue in ordered if before_id is None or issue.issue_id < before_id][:limit]
