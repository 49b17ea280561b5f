"""What the ffmpegs of a stream said last, as its worker stores it for operators: one small JSON object a stream.

Beside the runs it holds the last failed opening of each source, since a source that never opens never has a run.
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
    """One run of ffmpeg: the last lines that it said, oldest first, and how it ended; None while it runs.

    `source_lines` are those of the process that receives a live source. With `run` None this is a source that was not
    opened, or no sender uses, and `ending` says why. `repairs` counts what was repaired, None if nothing is known of
    it; `notes` say it in plain words, newest last: `NOTES_KEPT` at most, of `NOTE_CHARS_MAX` characters.
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
    """The object's key in the media bucket, outside of what gateways may serve."""
    return f"logs/{stream_id}.json"


def newest_logs(logs: Iterable[RunLog]) -> tuple[RunLog, ...]:
    """Those that are kept, newest first; of two of the same run, or openings of the same source, the later one given
    counts."""
    every = {(log.worker_id, log.run) if log.run else log.source: log for log in logs}
    ordered = sorted(every.values(), key=lambda log: log.began_at_ms, reverse=True)
    runs = [log for log in ordered if log.run][:RUNS_KEPT]
    return tuple(log for log in ordered if log.run is None or log in runs)


def encode(logs: Iterable[RunLog]) -> bytes:
    """The object's content."""
    return json.dumps({"runs": [asdict(log) for log in logs]}, separators=(",", ":")).encode()


def decode(body: bytes) -> tuple[RunLog, ...]:
    """The runs in an object; none if it is not of our making. What a newer version has added is left out."""
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
