"""The log of a stream in lines for people."""

from typing import Any

from player.terminal.text import printable, wrapped
from tollcast_admin.display.values import age_of, counted, when_of


def log_lines(log: dict[str, Any], lines_max: int, width: int) -> list[str]:
    """Return the log of a stream, oldest run first, so that what is newest is next to the prompt."""
    lines: list[str] = []
    for run in reversed(log["items"]):
        ended = f"ended {when_of(run['ended_at_ms'])}" if run["ended_at_ms"] else "goes on"
        name = f"Run {run['run']}" if run["run"] else "No run"
        lines.append(f"{name} of {run['source']}, began {when_of(run['began_at_ms'])}, {ended} ({run['worker_id']})")
        for text in [*run["source_lines"][-lines_max:], *run["lines"][-lines_max:], *run["notes"][-lines_max:]]:
            lines.append(f"  {printable(text)}")
        if run["ending"]:
            lines += [f"  {line}" for line in wrapped(printable(f"Ending: {run['ending']}"), width - 2)]
        lines.append("")
    if log["ingest_refusals"]:
        lines.append("Senders that were rejected or disconnected:")
    for refusal in log["ingest_refusals"]:
        times = f"{counted(refusal['count'], 'time')}, last {age_of(refusal['last_at_ms'])} ago"
        lines += [
            f"  {line}" for line in wrapped(printable(f"{refusal['code']} ({times}): {refusal['detail']}"), width - 2)
        ]
    while lines and not lines[-1]:
        lines.pop()
    return lines or ["Nothing was logged yet: the stream has not run."]
