"""One live source: received by a process of its own, examined, and handed to the ffmpeg that plays it.

The source is opened once, so a sender is not sent away to be examined, and it stays while an encoder is restarted.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO

from worker.argv import LiveSource
from worker.backlog import Backlog
from worker.child import Child
from worker.receivers import Receiver
from worker.sources import SourceRefused

CHUNK_BYTES = 65_536
# So much is examined, or what came in this time.
HEAD_BYTES = 1 << 20
HEAD_S = 1.0
CLOSE_GRACE_S = 0.5
RATE_WINDOW_S = 5.0

Examine = Callable[[bytes], LiveSource]


class Feed:
    """A receiver that runs. All but what is said otherwise is for the supervising thread.

    It has to be made by a thread that outlives it, as `Child` does.
    """

    def __init__(self, receiver: Receiver, environ: Mapping[str, str], examine: Examine) -> None:
        # What it is, once that is known; or why it cannot be played.
        self.source: LiveSource | None = None
        self.refusal: str | None = None
        self.bitrate_bps: int | None = None
        self.received_at_s: float | None = None
        self.began_at_s: float | None = None
        self._examine = examine
        self._child = Child(receiver.argv, environ, stdin=True, secrets=receiver.secrets)
        self._backlog = Backlog()
        self._head: bytearray | None = bytearray()
        self._lock = threading.Lock()
        self._counted_from_s, self._counted_bytes = time.monotonic(), 0
        self._sink: IO[bytes] | None = None
        with suppress(OSError), self._child.stdin as pipe:
            pipe.write(receiver.script)
        threading.Thread(target=self._read, name="feed", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether its process has not ended."""
        return self._child.running

    @property
    def lines(self) -> list[str]:
        """What its process said last."""
        return list(self._child.lines)

    def flowing(self, now_s: float, silent_s: float) -> bool:
        """Whether something came in within this time."""
        return self.received_at_s is not None and now_s - self.received_at_s < silent_s

    def ending(self) -> str:
        """Why its process ended, for people."""
        return self._child.ending()

    def play(self, sink: IO[bytes]) -> None:
        """Write to this pipe from the last keyframe on, until it is closed at the other end; close it at the end."""
        with self._lock:
            self._sink = sink

    def close(self) -> None:
        """End it."""
        self._child.stop(CLOSE_GRACE_S)

    def _read(self) -> None:
        try:
            descriptor = self._child.stdout.fileno()
            while data := os.read(descriptor, CHUNK_BYTES):
                self._take(data)
        except (OSError, ValueError):
            # Closed under our hands.
            pass
        finally:
            self._close_sink(self._sink)

    def _take(self, data: bytes) -> None:
        now_s = time.monotonic()
        self.began_at_s = self.began_at_s or now_s
        self.received_at_s = now_s
        self._count(now_s, len(data))
        if self._head is not None:
            self._head += data
            if len(self._head) >= HEAD_BYTES or now_s - self.began_at_s >= HEAD_S:
                threading.Thread(target=self._look, args=(bytes(self._head),), name="examine", daemon=True).start()
                self._head = None
        self._backlog.add(data)
        with self._lock:
            sink = self._sink
        if sink is None:
            self._backlog.trim()
            return
        try:
            sink.write(self._backlog.take())
            sink.flush()
        except (OSError, ValueError):
            self._close_sink(sink)

    def _count(self, now_s: float, size: int) -> None:
        self._counted_bytes += size
        if (over_s := now_s - self._counted_from_s) >= RATE_WINDOW_S:
            self.bitrate_bps = int(8 * self._counted_bytes / over_s)
            self._counted_from_s, self._counted_bytes = now_s, 0

    def _close_sink(self, sink: IO[bytes] | None) -> None:
        if sink is None:
            return
        with suppress(OSError, ValueError):
            sink.close()
        with self._lock:
            # The next run may have been given its own meanwhile.
            if self._sink is sink:
                self._sink = None

    def _look(self, head: bytes) -> None:
        try:
            self.source = self._examine(head)
        except SourceRefused as error:
            self.refusal = str(error)
