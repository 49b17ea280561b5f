"""Follows the gateway's log and adds up what was served and answered, each line once, whatever dies when.

What is to be added is first written down here, with its number and the position in the log behind it (a write-ahead
log); only then it is added, row by row, each under the condition that this number was not added to the row before. A
follower that dies in between adds the same numbers again after its restart, and only where they are missing.
"""

import fcntl
import json
import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.domain.money.usage import Served
from chalicelib.ports import StoreUnavailable, Usage
from gateway.access_log import AccessLog, Position
from gateway.fetches import Fold
from gateway.lines import line_of

FLUSH_S = 10.0
# A batch is at most about so many rows; a read of the log may add some to it.
ROWS_MAX = 2_000
# nginx writes its lines within a second, and supervisord what it reads at once.
LOG_LAG_MS = 5_000
FORMAT = 2

log = logging.getLogger("usage")


class StateUnreadable(Exception):
    """The follower's own file is damaged. Without it, lines that were counted would be counted again."""


class AlreadyFollowed(Exception):
    """Another follower works on the same file."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What is written down: the newest batch, the position behind it, and what sessions were served before."""

    follower: str
    batch: int = 0
    position: Position = field(default_factory=Position)
    seen: dict[str, tuple[int, list[list[Any]], str]] = field(default_factory=dict)
    figures: dict[str, Served] = field(default_factory=dict)
    # [epoch minute, stream or "", counters]
    counts: list[tuple[int, str, dict[str, int]]] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Replace the file: a reader finds the old state or this one, also after the machine has failed."""
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


def read_state(path: Path) -> State:
    """The state in a file, a new one where there is none. Raises `StateUnreadable`."""
    try:
        values = json.loads(path.read_text())
        if values.pop("format") != FORMAT:
            raise StateUnreadable(f"{path} is of another format")
        names = Served.__dataclass_fields__
        figures = {key: Served(**dict(zip(names, each, strict=True))) for key, each in values["figures"].items()}
        return State(**{**values, "position": Position(**values["position"]), "figures": figures})
    except FileNotFoundError:
        return State(follower=secrets.token_hex(4))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateUnreadable(
            f"{path} cannot be read ({error}); the lines since its last state are in the log"
        ) from None


class Follower:
    """One follower of one log, alone on its state file."""

    def __init__(
        self,
        *,
        usage: Usage,
        log_path: Path,
        state_path: Path,
        now_ms: Callable[[], int],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._lock = _locked(state_path)
        self._usage = usage
        self._state_path = state_path
        self._now_ms = now_ms
        self._alive = alive
        self._state = read_state(state_path)
        # Whether the newest batch is known to be added wholly.
        self._added = False
        self._fold = Fold(self._state.seen)
        self._log = AccessLog(log_path, self._state.position)

    def close(self) -> None:
        """Let go of the files; what was not flushed is read again by the next follower."""
        self._log.close()
        os.close(self._lock)

    def catch_up(self) -> None:
        """Read to the end of the log and add all of it. Raises `StoreUnavailable`: call again, nothing is lost."""
        self._add()
        more = True
        while more:
            began_ms = self._now_ms()
            while self._fold.rows < ROWS_MAX and more:
                lines, more = self._log.read()
                for line in filter(None, map(line_of, lines)):
                    self._fold.add(line)
            if self._log.losses:
                log.warning("the log was rotated away before it was read; what it said is lost")
                self._log.losses = 0
            self._flush()
        self._usage.mark(self._state.follower, began_ms - LOG_LAG_MS)
        self._alive()

    def _flush(self) -> None:
        figures, counts = self._fold.take()
        if not counts and self._log.position == self._state.position:
            return
        state = State(
            follower=self._state.follower,
            batch=self._state.batch + bool(counts),
            position=self._log.position,
            seen=self._fold.seen(),
            figures=figures,
            counts=[(minute, stream_id, dict(each)) for (minute, stream_id), each in counts.items()],
        )
        state.write(self._state_path)
        self._state, self._added = state, False
        self._add()

    def _add(self) -> None:
        if self._added:
            return
        follower, batch = self._state.follower, self._state.batch
        for key, served in self._state.figures.items():
            self._usage.add(key, served, follower=follower, batch=batch, now_ms=self._now_ms())
            self._alive()
        for minute, stream_id, counts in self._state.counts:
            self._usage.count(minute, stream_id, counts, follower=follower, batch=batch)
            self._alive()
        self._added = True


def _locked(state_path: Path) -> int:
    state_path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(state_path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyFollowed(f"another follower works on {state_path}") from None
    return lock


def run(follower: Follower) -> None:
    """Follow until SIGTERM or SIGINT, then add what is there and return."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    going_on = True
    while going_on:
        # Once more after the signal, for what was logged since the last time.
        going_on = not stop.is_set()
        try:
            follower.catch_up()
        except StoreUnavailable as error:
            log.error("usage is not added now: %s", error)
        if going_on:
            stop.wait(FLUSH_S)
    follower.close()
