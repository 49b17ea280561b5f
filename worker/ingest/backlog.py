"""The newest packets of a live source, kept for the run that will play it, or that replaces the one that plays it.

A run so begins with a picture at once, at any point of the source's group of pictures, and one that replaces a run that
has crashed continues where that one ended.
"""

import json
from collections import deque
from itertools import islice

from worker.media.messages import Kind, decoded_at_us, is_video_keyframe

# With more than this between its keyframes a source loses its backlog: the run waits for the next keyframe.
BYTES_MAX = 48 << 20
# What was passed on is kept for as long as an unfinished segment may be, and until its run is replaced.
SEGMENT_US, REPLACED_US = 2_000_000, 4_000_000


class Backlog:
    """Messages of a receiver. `ahead_us` is how far the source may be ahead of the clock: early packets are kept."""

    def __init__(self, ahead_us: int = 0) -> None:
        # The longest segment of the run that plays.
        self.segment_us = SEGMENT_US
        self._ahead_us = ahead_us
        self._newest_us = 0
        # Of each message: whether it describes tracks, and its bytes.
        self._messages: deque[tuple[bool, bytes]] = deque()
        # How many messages were dropped before the first one, and how many from there on were passed on.
        self._dropped = 0
        self._passed_on = 0
        # The numbers of the messages that a run can begin with, and their times.
        self._keyframes: deque[tuple[int, int]] = deque()
        self._bytes = 0
        self._tracks = b""
        # The formats of what was passed on last.
        self._played: dict[str, str | None] = {}

    def add(self, kind: Kind, body: bytes, whole: bytes) -> None:
        """Keep a message."""
        if kind is Kind.PACKET:
            self._newest_us = decoded_at_us(body)
            if is_video_keyframe(body):
                self._keyframes.append((self._dropped + len(self._messages), self._newest_us))
        self._messages.append((kind is Kind.TRACKS, whole))
        self._bytes += len(whole)

    def trim(self, *, replay: bool = True) -> None:
        """Drop what a run does not need that begins now or, with `replay`, that replaces the one that plays."""
        until_us = self._newest_us - max(self._ahead_us, self.segment_us + REPLACED_US if replay else 0)
        keyframes = self._keyframes
        while len(keyframes) > 1 and keyframes[1][1] <= until_us:
            keyframes.popleft()
        first = keyframes[0][0] if keyframes and keyframes[0][1] <= until_us else 0
        while self._dropped < first or self._bytes > BYTES_MAX:
            self._drop()

    def begin(self, *, replay: bool = False) -> bytes:
        """Return the description that a new run has to begin with, `b""` if the messages begin with one.

        With `replay` it takes what was passed on to the last run once more.
        """
        if replay:
            self._passed_on = 0
        while self._passed_on:
            self._drop()
        if not replay:
            self.trim(replay=False)
        self._played = {}
        if self._messages and self._messages[0][0]:
            return b""
        if self._tracks:
            self._played = formats_of(self._tracks)
        return self._tracks

    def take(self, *, one_format: bool) -> tuple[bytes, bool]:
        """Return all messages that were not passed on, and whether the format changes behind them.

        Changes are detected with `one_format` only.
        """
        taken: list[bytes] = []
        # From the end: what is kept of a source with few keyframes is far more than what is new.
        new = [*islice(reversed(self._messages), len(self._messages) - self._passed_on)]
        for is_tracks, whole in reversed(new):
            if is_tracks:
                formats = formats_of(whole)
                if one_format and self._played and changes(self._played, formats):
                    break
                self._played = formats
            taken.append(whole)
        self._passed_on += len(taken)
        has_changed = self._passed_on < len(self._messages)
        if not has_changed:
            self.trim()
        return b"".join(taken), has_changed

    def _drop(self) -> None:
        is_tracks, whole = self._messages.popleft()
        self._dropped += 1
        self._passed_on = max(0, self._passed_on - 1)
        if self._keyframes and self._keyframes[0][0] < self._dropped:
            self._keyframes.popleft()
        self._bytes -= len(whole)
        if is_tracks:
            self._tracks = whole


def formats_of(whole: bytes) -> dict[str, str | None]:
    """Return the formats of a message's tracks."""
    described = json.loads(whole[5:])
    return {name: described[name] and described[name]["signature"] for name in ("video", "audio")}


def changes(before: dict[str, str | None], now: dict[str, str | None]) -> bool:
    """Return whether a run that copies has to end between these formats.

    The format of sound becomes known late: first `aac`, then `aac:4c80`.
    """
    old, new = before["audio"], now["audio"]
    if before["video"] != now["video"] or old is None or new is None:
        return before != now
    if ":" in old and ":" in new:
        return old != new
    return old.partition(":")[0] != new.partition(":")[0]
