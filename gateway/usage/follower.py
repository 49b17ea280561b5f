"""The follower of the gateway's log: it adds up what was served and answered, and counts each line once.

It first writes a numbered batch and the log position after it to its checkpoint (a write-ahead log). Then it adds the
batch row by row, on the condition that the row does not have this number yet. After a crash, a new follower adds the
same batch again, and the store skips the rows that have it.
"""

import fcntl
import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.usage import Usage
from gateway.usage.aggregator import UsageAggregator
from gateway.usage.checkpoint import Checkpoint, read_checkpoint
from gateway.usage.log_entries import parse_entry
from gateway.usage.log_tailer import LogTailer

FLUSH_S = 10.0
# The approximate size of a batch; one read of the log may exceed it.
ROWS_MAX = 2_000
# nginx writes its lines within a second, and supervisord passes them on at once.
LOG_LAG_MS = 5_000

log = logging.getLogger("usage")


class AlreadyFollowed(Exception):
    """Another follower uses the same checkpoint."""


class UsageFollower:
    """A follower of one log, with an exclusive lock on its checkpoint."""

    def __init__(
        self,
        *,
        usage: Usage,
        log_path: Path,
        checkpoint_path: Path,
        now_ms: Callable[[], int],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._lock = _lock(checkpoint_path)
        self._usage = usage
        self._checkpoint_path = checkpoint_path
        self._now_ms = now_ms
        self._alive = alive
        self._checkpoint = read_checkpoint(checkpoint_path)
        # Whether the store has all rows of the newest batch.
        self._is_added = False
        self._aggregator = UsageAggregator(self._checkpoint.seen)
        self._tailer = LogTailer(log_path, self._checkpoint.position)

    def close(self) -> None:
        """Close the files. The next follower reads again what was not flushed."""
        self._tailer.close()
        os.close(self._lock)

    def catch_up(self) -> None:
        """Read to the end of the log and add all of it. On `StoreUnavailable`, call again: nothing is lost."""
        self._add_batch()
        more = True
        while more:
            began_ms = self._now_ms()
            while self._aggregator.row_count < ROWS_MAX and more:
                lines, more = self._tailer.read()
                for entry in filter(None, map(parse_entry, lines)):
                    self._aggregator.add(entry)
            if self._tailer.losses:
                log.warning("the log was rotated away before it was read; its lines are lost")
                self._tailer.losses = 0
            self._flush()
        self._usage.mark(self._checkpoint.follower, began_ms - LOG_LAG_MS)
        self._alive()

    def _flush(self) -> None:
        served, counters = self._aggregator.take()
        if not counters and self._tailer.position == self._checkpoint.position:
            return
        checkpoint = Checkpoint(
            follower=self._checkpoint.follower,
            batch=self._checkpoint.batch + bool(counters),
            position=self._tailer.position,
            seen=self._aggregator.sessions(),
            figures=served,
            counts=[(minute, stream_id, dict(each)) for (minute, stream_id), each in counters.items()],
        )
        checkpoint.write(self._checkpoint_path)
        self._checkpoint, self._is_added = checkpoint, False
        self._add_batch()

    def _add_batch(self) -> None:
        if self._is_added:
            return
        follower, batch = self._checkpoint.follower, self._checkpoint.batch
        for key, served in self._checkpoint.figures.items():
            self._usage.add(key, served, follower=follower, batch=batch, now_ms=self._now_ms())
            self._alive()
        for minute, stream_id, counts in self._checkpoint.counts:
            self._usage.count(minute, stream_id, counts, follower=follower, batch=batch)
            self._alive()
        self._is_added = True


def _lock(checkpoint_path: Path) -> int:
    checkpoint_path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(checkpoint_path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyFollowed(f"Another follower uses {checkpoint_path}. Stop it first.") from None
    return lock


def run(follower: UsageFollower) -> None:
    """Follow until SIGTERM or SIGINT, then catch up once more and return."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    is_last = False
    while not is_last:
        # The last round reads what was logged before the signal.
        is_last = stop.is_set()
        try:
            follower.catch_up()
        except StoreUnavailable as error:
            log.error("cannot add usage now, will retry: %s", error)
        if not is_last:
            stop.wait(FLUSH_S)
    follower.close()
