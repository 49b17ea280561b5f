"""Ingest issues in DynamoDB. An open issue has the range key `open.<type>`, a closed one its id, which begins with a
digit. So one query returns all open issues, another the history in order, and no type is open twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.adapters.aws import TransactionRefused
from chalicelib.adapters.dynamodb import all_rows, from_row, known, parameters, transact, write_if
from chalicelib.domain.streams.issues.ingest_issues import HISTORY_DAYS, CloseReason, IngestIssue, IssueType

S_PER_DAY = 86_400
OPEN = "open."
# More than there are types, also in a newer version.
OPEN_MAX = 100
# Lower and upper bound of the ids of closed issues.
FIRST_ID, AFTER_IDS = "0", ":"
SAME = "attribute_not_exists(since_ms) OR since_ms = :since"


class DynamoIngestIssues:
    """The port `IngestIssues` over the table `ingest_issues`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "ingest_issues"

    def put(self, issue: IngestIssue) -> bool:
        item = {**vars(issue), "issue_key": OPEN + issue.type}
        return write_if("put_item", self._table, item=item, condition=SAME, values={":since": issue.since_ms})

    def close(self, issue: IngestIssue) -> bool:
        assert issue.closed_at_ms is not None
        expires_at_s = issue.closed_at_ms // 1000 + HISTORY_DAYS * S_PER_DAY
        item = {**vars(issue), "issue_key": issue.issue_id, "expires_at_s": expires_at_s}
        key = {"stream_id": issue.stream_id, "issue_key": OPEN + issue.type}
        values = {":since": issue.since_ms}
        delete = parameters(self._table, key=key, condition="since_ms = :since", values=values)
        try:
            transact({"Delete": delete}, {"Put": parameters(self._table, item=item)})
        except TransactionRefused:
            return False
        return True

    def open_issues(self, stream_id: str) -> Sequence[IngestIssue]:
        condition, values = "begins_with(issue_key, :open)", {":open": OPEN}
        return self._query(stream_id, condition, values, OPEN_MAX, ConsistentRead=True)

    def closed_issues(self, stream_id: str, *, before_id: str | None, limit: int) -> Sequence[IngestIssue]:
        values = {":first": FIRST_ID, ":before": before_id or AFTER_IDS}
        # `before_id` itself may be closed by now: it was in the page before.
        found = self._query(
            stream_id, "issue_key BETWEEN :first AND :before", values, limit + 1, ScanIndexForward=False
        )
        return [issue for issue in found if issue.issue_id != before_id][:limit]

    def _query(
        self, stream_id: str, condition: str, values: dict[str, Any], limit: int, **options: Any
    ) -> list[IngestIssue]:
        request = parameters(
            self._table,
            KeyConditionExpression=f"stream_id = :stream AND {condition}",
            values={":stream": stream_id, **values},
            Limit=limit,
            **options,
        )
        types = set(IssueType)
        rows = [from_row(row) for row in all_rows("query", request, limit)]
        # A newer version may have more types.
        return [_issue(row) for row in rows if row["type"] in types]


def _issue(row: dict[str, Any]) -> IngestIssue:
    reason = row.get("close_reason")
    values = {"type": IssueType(row["type"]), "close_reason": CloseReason(reason) if reason else None}
    return IngestIssue(**{**known(IngestIssue, row), **values})
