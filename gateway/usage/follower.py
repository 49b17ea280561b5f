"""The follower of the gateway's log: it adds up what was served and answered, and counts each line once.

It first writes a numbered batch and the log position after it to its checkpoint (a write-ahead log). Then it adds the
batch row by row, on the condition that the row does not have this number yet. After a crash, a new follower adds the
same batch again, and the store skips the rows that have it.

Lines that were rotated away unread become a range of time. It is in the checkpoint with the position after it, and is
stored together with the first position beyond it, so no session of that time counts as measured in between.
"""

import fcntl
import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from chalicelib.domain.operations.traffic import TOTALS_MINUTE
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.money.usage import Usage
from gateway.usage.aggregator import UsageAggregator
from gateway.usage.checkpoint import Checkpoint, read_checkpoint
from gateway.usage.log_entries import parse_entry
from gateway.usage.log_tailer import LogTailer
from gateway.usage.lost_ranges import UNKNOWN_MS, with_range

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
        gateway_runs: Callable[[], bool] = lambda: False,
    ) -> None:
        self._lock = _lock(checkpoint_path)
        self._usage = usage
        self._checkpoint_path = checkpoint_path
        self._now_ms = now_ms
        self._alive = alive
        self._gateway_runs = gateway_runs
        self._checkpoint = read_checkpoint(checkpoint_path)
        # Whether the store has all rows of the newest batch.
        self._is_added = False
        # The position that was reported, and whether all lost ranges were.
        self._through_ms = 0
        self._is_lost_stored = not self._checkpoint.lost
        self._last_at_ms = self._checkpoint.last_at_ms
        self._lost = self._checkpoint.lost
        # The time of the last line before a loss, while the time of the first line after it is unknown.
        self._lost_from_ms: int | None = None
        self._aggregator = UsageAggregator(self._checkpoint.seen)
        self._tailer = LogTailer(log_path, self._checkpoint.position)

    def close(self) -> None:
        """Close the files. The next follower reads again what was not flushed."""
        self._tailer.close()
        os.close(self._lock)

    def catch_up(self) -> None:
        """Read to the end of the log and add all of it. On `StoreUnavailable`, call again: nothing is lost."""
        if not self._through_ms:
            if not self._checkpoint_path.exists():
                # Or sessions would wait for this name for a day if the process were killed now.
                self._checkpoint.write(self._checkpoint_path)
            # From now on, sessions wait for this follower, also if catching up takes long or fails.
            self._report()
        self._add_batch()
        more = True
        while more:
            began_ms = self._now_ms()
            while self._aggregator.row_count < ROWS_MAX and more:
                more = self._read()
            self._flush(began_ms)
            if more:
                self._report()
        self._through_ms = began_ms - LOG_LAG_MS
        self._report()

    def leave(self) -> bool:
        """Report that the gateway has stopped and all of its log is added, so that no session waits for this follower.

        Return False without a report while the gateway runs. Call it after `catch_up` only.
        """
        if self._gateway_runs():
            log.warning("the gateway still runs, so sessions wait for the next follower")
            return False
        self._usage.leave(self._checkpoint.follower)
        log.info("left: the gateway has stopped, and all of its log is added")
        return True

    def _read(self) -> bool:
        """Add the next lines of the log, and return whether there may be more."""
        lines, more = self._tailer.read()
        if self._tailer.losses:
            log.warning("the log was rotated away before it was read; its lines are lost")
            self._tailer.losses = 0
            if self._lost_from_ms is None:
                self._lost_from_ms = self._last_at_ms
        for entry in filter(None, map(parse_entry, lines)):
            if self._lost_from_ms is not None:
                self._close_loss(entry.at_ms)
            self._last_at_ms = max(self._last_at_ms, entry.at_ms)
            self._aggregator.add(entry)
        return more

    def _close_loss(self, first_at_ms: int) -> None:
        """Record the lines between the last one before the loss and the first one after it as lost."""
        until_ms = first_at_ms + LOG_LAG_MS
        # nginx's processes write their lines up to a second apart, so widen the range.
        from_ms = self._lost_from_ms - LOG_LAG_MS if self._lost_from_ms else until_ms - UNKNOWN_MS
        self._lost = with_range(self._lost, (min(from_ms, until_ms), until_ms))
        self._lost_from_ms, self._is_lost_stored = None, False

    def _flush(self, began_ms: int) -> None:
        if self._lost_from_ms is not None:
            # No line has followed yet. The position after the loss must not be written without the loss.
            self._close_loss(began_ms)
        served, counters, spans = self._aggregator.take()
        if not counters and self._tailer.position == self._checkpoint.position:
            return
        totals = sum((each for (_, stream_id), each in counters.items() if not stream_id), Counter())
        if totals:
            counters = {**counters, (TOTALS_MINUTE, ""): totals}
        checkpoint = Checkpoint(
            follower=self._checkpoint.follower,
            batch=self._checkpoint.batch + bool(counters),
            position=self._tailer.position,
            last_at_ms=self._last_at_ms,
            lost=self._lost,
            seen=self._aggregator.sessions(),
            figures=served,
            spans=spans,
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
            self._usage.add(
                key,
                served,
                follower=follower,
                batch=batch,
                now_ms=self._now_ms(),
                spans=self._checkpoint.spans.get(key, ()),
                fetches=self._aggregator.fetches(key),
            )
            self._alive()
        for minute, stream_id, counts in self._checkpoint.counts:
            self._usage.count(minute, stream_id, counts, follower=follower, batch=batch)
            self._alive()
        self._is_added = True

    def _report(self) -> None:
        """Store the position, and the lost ranges if they are not stored yet."""
        lost = () if self._is_lost_stored else self._checkpoint.lost
        self._usage.mark(
            self._checkpoint.follower,
            self._through_ms,
            lost,
            reported_at_ms=self._now_ms(),
            # Before the log is read, it is not known.
            watching=self._aggregator.watching(self._through_ms) if self._through_ms else None,
        )
        self._is_lost_stored = True
        self._alive()


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
    """Follow until SIGTERM or SIGINT, then catch up once more and leave. Stop the gateway first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    is_last = False
    while not is_last:
        # The last round reads what was logged before the signal.
        is_last = stop.is_set()
        try:
            follower.catch_up()
            if is_last:
                follower.leave()
        except StoreUnavailable as error:
            log.error("cannot add usage now, will retry: %s", error)
        if not is_last:
            stop.wait(FLUSH_S)
    follower.close()
