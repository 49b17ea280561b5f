"""The receiver of one source: a process of its own, whose packets go to the run that plays the source.

The source is opened once, so a sender stays connected while it is examined and while a run is restarted.
"""

import json
import os
import select
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import IO, Any

from worker.encoding.source_info import SourceInfo
from worker.ingest.background_task import BackgroundTask
from worker.ingest.backlog import SEGMENT_US, Backlog
from worker.ingest.egress.http import restore_urls
from worker.ingest.keyframe_intervals import KeyframeIntervals
from worker.ingest.receiver_commands import ReceiverCommand
from worker.media.messages import Kind, MessageReader, WireError
from worker.media.pictures import PALETTE
from worker.processes.child import Child

CHUNK_BYTES = 1 << 18
POLL_MS = 100
CLOSE_GRACE_S = 0.5
RATE_WINDOW_S = 5.0

Examine = Callable[[Mapping[str, Any]], SourceInfo]


class SourceReceiver(Child):
    """A running receiver. Used by the supervising thread, except where noted."""

    def __init__(self, receiver: ReceiverCommand, environ: Mapping[str, str], examine: Examine) -> None:
        reword = restore_urls if receiver.has_other_urls else str
        super().__init__("receiver", receiver.argv, environ, stdin=True, secrets=receiver.secrets, reword=reword)
        self.bitrate_bps: int | None = None
        # The format changed behind the packets of the present run: the next run continues with the new format.
        self.format_has_changed = False
        self._received_at_s: float | None = None
        # A run that does not read holds the source back, which is not the source's fault.
        self._is_held_back = False
        self.began_at_s: float | None = None
        # A sender sends sound, and no picture has come yet.
        self.has_sound_alone = False
        self.keyframes = KeyframeIntervals()
        self._examine = examine
        self._task: BackgroundTask[SourceInfo] | None = None
        self._description: dict[str, Any] = {}
        self._source: SourceInfo | None = None
        self._messages = MessageReader()
        self._backlog = Backlog(receiver.ahead_us)
        self._lock = threading.Lock()
        self._counted_from_s, self._counted_bytes = time.monotonic(), 0
        self._next_sink: IO[bytes] | None = None
        self._one_format = self._replay = False
        self._segment_us = SEGMENT_US
        self._has_ended = False
        self._sink: IO[bytes] | None = None
        with suppress(OSError), self.stdin as pipe:
            pipe.write(receiver.script)
        # The reader has its own descriptor: the child's is closed with the child, and its number is soon reused.
        descriptor = os.dup(self.stdout.fileno())
        threading.Thread(target=self._read, args=(descriptor,), name="feed", daemon=True).start()

    @property
    def source(self) -> SourceInfo | None:
        """Return what the source is, once that is known; while it is examined again, what it was."""
        found = self._task.result if self._task else None
        self._source = found or self._source
        return self._source

    @property
    def refusal(self) -> str:
        """Return why the source cannot be played, `""` if it can."""
        return self._task.refusal if self._task else ""

    def is_flowing(self, now_s: float, silent_s: float) -> bool:
        """Return whether something came in within this time."""
        return self._is_held_back or (self._received_at_s is not None and now_s - self._received_at_s < silent_s)

    def ending(self) -> str:
        """Return why its process ended, for the operator."""
        if self.exit_status == 0:
            return "the source ended"
        return self.complaint() or super().ending()

    def play(
        self,
        sink: IO[bytes] | None,
        *,
        one_format: bool = False,
        replay: bool = False,
        segment_us: int = SEGMENT_US,
    ) -> None:
        """Write to this pipe from the last keyframe that no pipe had, or the next; None: close the present one now.

        It is closed at the end, with `one_format` where the format changes. With `replay` it begins with what the last
        pipe had. `segment_us` is the length of its run's segments.
        """
        with self._lock:
            # The reader closes the pipe that it writes to. One that it never wrote to is closed here.
            unused = [] if self._next_sink is self._sink else [self._next_sink]
            if self._has_ended:
                unused, sink = [*unused, sink], None
            self._next_sink, self._one_format, self._replay = sink, one_format, replay
            # What the last run had is kept until the next one begins.
            self._segment_us = segment_us if sink else self._segment_us
            self.format_has_changed = False
        for each in filter(None, unused):
            _close(each)

    def close(self) -> None:
        """End the process."""
        self.stop(CLOSE_GRACE_S)

    def _read(self, descriptor: int) -> None:
        """Read messages and write them on. This thread alone writes to the pipe of a run."""
        try:
            ready = select.poll()
            ready.register(descriptor, select.POLLIN)
            while True:
                if ready.poll(POLL_MS):
                    data = os.read(descriptor, CHUNK_BYTES)
                    if not data:
                        break
                    self._take(data)
                self._forward()
        except WireError:
            # The receiver's end cut its output.
            self.kill()
        finally:
            os.close(descriptor)
            self._has_ended = True
            self.play(None)
            self._forward()

    def _take(self, data: bytes) -> None:
        now_s = time.monotonic()
        self._count(now_s, len(data))
        for kind, body, whole in self._messages.feed(data):
            if kind is Kind.SOUND_ALONE:
                self.has_sound_alone = True
                continue
            if kind is Kind.HELD:
                self._received_at_s = now_s
                continue
            self._backlog.add(kind, body, whole)
            if kind is Kind.TRACKS:
                self._follow(json.loads(body))
            elif kind is Kind.PACKET:
                self.keyframes.add(body)
                self.began_at_s = self.began_at_s or now_s
                self._received_at_s = now_s

    def _follow(self, described: dict[str, Any]) -> None:
        # Each picture may change it.
        described["video"].pop(PALETTE, None)
        if described != self._description:
            self._description = described
            self._task = BackgroundTask(partial(self._examine, described))

    def _forward(self) -> None:
        with self._lock:
            before, self._sink, replay = self._sink, self._next_sink, self._replay
        if before is not self._sink:
            if before is not None:
                _close(before)
            if self._sink is not None:
                self._backlog.segment_us = self._segment_us
                self._write(self._sink, self._backlog.begin(replay=replay))
        if self._sink is None:
            self._backlog.trim()
            return
        given, has_changed = self._backlog.take(one_format=self._one_format)
        if given:
            self._is_held_back = True
            self._write(self._sink, given)
            # Packets that came meanwhile were not counted.
            self._received_at_s = time.monotonic()
            self._is_held_back = False
        if has_changed:
            with self._lock:
                if self._next_sink is self._sink:
                    self._next_sink, self.format_has_changed = None, True

    def _write(self, sink: IO[bytes], data: bytes) -> None:
        try:
            sink.write(data)
            sink.flush()
        except (OSError, ValueError):
            # Its run has ended. Another one may have replaced it already.
            with self._lock:
                if self._next_sink is sink:
                    self._next_sink = None

    def _count(self, now_s: float, size: int) -> None:
        self._counted_bytes += size
        if (over_s := now_s - self._counted_from_s) >= RATE_WINDOW_S:
            self.bitrate_bps = int(8 * self._counted_bytes / over_s)
            self._counted_from_s, self._counted_bytes = now_s, 0


def _close(sink: IO[bytes]) -> None:
    with suppress(OSError, ValueError):
        sink.close()
