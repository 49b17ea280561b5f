"""The follower's checkpoint: a file with its newest batch and the log position after that batch."""

import json
import os
import secrets
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path

from chalicelib.domain.money.served_spans import Span
from chalicelib.domain.money.usage import Served
from gateway.usage.log_tailer import LogPosition
from gateway.usage.lost_ranges import Range
from gateway.usage.served_segments import StoredSegments

FORMAT = 3
# It had spans without media time, no parts and no lost ranges.
FORMAT_BEFORE = 2


class CheckpointUnreadable(Exception):
    """The checkpoint is damaged. Without it, the follower would count lines again."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The newest batch, the position after it, and the active sessions. The field names are the file's keys."""

    follower: str
    batch: int = 0
    position: LogPosition = field(default_factory=LogPosition)
    # The time of the newest line before that position, 0 if there was none.
    last_at_ms: int = 0
    # All ranges of time in ms whose lines were lost.
    lost: list[Range] = field(default_factory=list)
    seen: dict[str, StoredSegments] = field(default_factory=dict)
    figures: dict[str, Served] = field(default_factory=dict)
    # The segments of the sessions in `figures` that were served media time.
    spans: dict[str, list[Span]] = field(default_factory=dict)
    # [epoch minute, stream or "", counters]
    counts: list[tuple[int, str, dict[str, int]]] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Replace the file atomically and durably: a reader finds the old checkpoint or this one."""
        values = {
            "format": FORMAT,
            **asdict(self),
            "figures": {key: astuple(served) for key, served in self.figures.items()},
        }
        temporary = path.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(values, file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in the file, a new one if there is no file. Raise `CheckpointUnreadable`."""
    try:
        values = json.loads(path.read_text())
        version = values.pop("format")
        if version not in (FORMAT, FORMAT_BEFORE):
            raise CheckpointUnreadable(f"{path} has another format. Use the version that wrote it.")
        if version == FORMAT_BEFORE:
            for _, spans, _ in values["seen"].values():
                spans[:] = [[*span, 0] for span in spans]
        names = [each.name for each in fields(Served)]
        figures = {key: Served(**dict(zip(names, each, strict=True))) for key, each in values["figures"].items()}
        spans = {key: [Span(*each) for each in found] for key, found in values.pop("spans", {}).items()}
        lost = [(first_ms, last_ms) for first_ms, last_ms in values.pop("lost", [])]
        position = LogPosition(**values["position"])
        return Checkpoint(**{**values, "position": position, "figures": figures, "spans": spans, "lost": lost})
    except FileNotFoundError:
        return Checkpoint(follower=secrets.token_hex(4))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointUnreadable(f"{path} is damaged ({error}). docs/operations.md says what to do.") from None
