"""The last log lines of a stream's encoder runs: one small JSON object for each stream.

It also holds the last failed opening of each source, since such a source never has a run.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from chalicelib.domain.streams.media_health import Repairs

RUNS_KEPT = 5
LINES_KEPT = 200
LINE_CHARS_MAX = 500
NOTES_KEPT = 100
NOTE_CHARS_MAX = 300


@dataclass(frozen=True, kw_only=True)
class RunLog:
    """One encoder run: its last log lines, oldest first, and how it ended; None while it runs.

    `source_lines` are from the process that receives a live source. If `run` is None, the source could not be opened or
    has no sender, and `ending` says why. `repairs` counts repairs, None if unknown; `notes` describe them in plain
    words, newest last: at most `NOTES_KEPT` of `NOTE_CHARS_MAX` characters.
    """

    worker_id: str
    run: str | None
    source: str
    began_at_ms: int
    ended_at_ms: int | None = None
    ending: str | None = None
    lines: tuple[str, ...] = ()
    source_lines: tuple[str, ...] = ()
    repairs: Repairs | None = None
    notes: tuple[str, ...] = ()


def run_log_key(stream_id: str) -> str:
    """Return the object's key in the media bucket, outside what gateways may serve."""
    return f"logs/{stream_id}.json"


def newest_logs(logs: Iterable[RunLog]) -> tuple[RunLog, ...]:
    """Return the logs to keep, newest first. Of two for the same run or source, the later one in `logs` counts."""
    every = {(log.worker_id, log.run) if log.run else log.source: log for log in logs}
    ordered = sorted(every.values(), key=lambda log: log.began_at_ms, reverse=True)
    runs = [log for log in ordered if log.run][:RUNS_KEPT]
    return tuple(log for log in ordered if log.run is None or log in runs)


def encode(logs: Iterable[RunLog]) -> bytes:
    """Return the object's content."""
    return json.dumps({"runs": [asdict(log) for log in logs]}, separators=(",", ":")).encode()


def decode(body: bytes) -> tuple[RunLog, ...]:
    """Return the runs in an object; none if it is damaged. Fields of a newer version are ignored."""
    try:
        return tuple(_run_log(each) for each in json.loads(body)["runs"])
    except (ValueError, KeyError, TypeError):
        return ()


def _run_log(values: dict[str, Any]) -> RunLog:
    known = _known(RunLog, values)
    said = {name: tuple(known.get(name, ())) for name in ("lines", "source_lines", "notes")}
    repairs = known.get("repairs")
    return RunLog(**{**known, **said, "repairs": Repairs(**_known(Repairs, repairs)) if repairs is not None else None})


def _known(kind: type[RunLog | Repairs], values: dict[str, Any]) -> dict[str, Any]:
    return {field.name: values[field.name] for field in fields(kind) if field.name in values}
