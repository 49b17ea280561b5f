"""Ingest issues of a stream in lines for people."""

from collections.abc import Sequence
from typing import Any

from player.terminal.text import printable, wrapped
from tollcast_admin.display.values import when_of

INDENT_CELLS = 4


def issue_lines(issues: Sequence[dict[str, Any]], width: int) -> list[str]:
    """Return each issue: what and since when, then what is measured, what is expected, and what to change."""
    lines = []
    for issue in issues:
        until = f" to {when_of(issue['closed_at_ms'])} ({issue['close_reason']})" if issue["closed_at_ms"] else ""
        heading = f"{issue['severity'].upper()} {issue['type']}, since {when_of(issue['since_ms'])}{until}"
        lines += wrapped(printable(heading), width)
        for text in (f"{issue['actual']}; expected: {issue['expected']}", issue["advice"]):
            lines += [f"    {line}" for line in wrapped(printable(text), width - INDENT_CELLS)]
    return lines
