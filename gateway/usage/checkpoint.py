"""The follower's checkpoint: a file with its newest batch and the log position after that batch."""

import json
import os
import secrets
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path

from chalicelib.domain.money.usage import Served
from gateway.usage.aggregator import StoredSegments
from gateway.usage.log_tailer import LogPosition

FORMAT = 2


class CheckpointUnreadable(Exception):
    """The checkpoint is damaged. Without it, the follower would count lines again."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The newest batch, the position after it, and the active sessions. The field names are the file's keys."""

    follower: str
    batch: int = 0
    position: LogPosition = field(default_factory=LogPosition)
    seen: dict[str, StoredSegments] = field(default_factory=dict)
    figures: dict[str, Served] = field(default_factory=dict)
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
        if values.pop("format") != FORMAT:
            raise CheckpointUnreadable(f"{path} has another format. Use the version that wrote it.")
        names = [each.name for each in fields(Served)]
        figures = {key: Served(**dict(zip(names, each, strict=True))) for key, each in values["figures"].items()}
        return Checkpoint(**{**values, "position": LogPosition(**values["position"]), "figures": figures})
    except FileNotFoundError:
        return Checkpoint(follower=secrets.token_hex(4))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointUnreadable(
            f"{path} is damaged ({error}). The log contains the lines since the last checkpoint."
        ) from None
