"""The newest packets of a live source, from its last keyframe on, kept for the run that will play it.

A run so begins with a picture at once, at any point of the source's group of pictures.
"""

import json
from collections import deque

from worker.media.messages import Kind, decoded_at_us, is_video_keyframe

# With more than this between its keyframes a source loses its backlog: the run waits for the next keyframe.
BYTES_MAX = 48 << 20


class Backlog:
    """Messages of a receiver. `ahead_us` is how far the source may be ahead of the clock: early packets are kept."""

    def __init__(self, ahead_us: int = 0) -> None:
        self._ahead_us = ahead_us
        self._newest_us = 0
        # Of each message: when a run can begin with it, whether it describes tracks, and its bytes.
        self._messages: deque[tuple[int | None, bool, bytes]] = deque()
        self._bytes = 0
        self._tracks = b""
        # The formats of what was passed on last.
        self._played: dict[str, str | None] = {}

    def __len__(self) -> int:
        return self._bytes

    def add(self, kind: Kind, body: bytes, whole: bytes) -> None:
        """Keep a message."""
        keyframe_us = None
        if kind is Kind.PACKET:
            self._newest_us = decoded_at_us(body)
            keyframe_us = self._newest_us if is_video_keyframe(body) else None
        self._messages.append((keyframe_us, kind is Kind.TRACKS, whole))
        self._bytes += len(whole)

    def trim(self) -> None:
        """Drop what a run that begins now does not need."""
        until_us = self._newest_us - self._ahead_us
        last = max(
            (n for n, (at_us, _, _) in enumerate(self._messages) if at_us is not None and at_us <= until_us), default=0
        )
        while last > 0 or self._bytes > BYTES_MAX:
            last -= 1
            self._drop()

    def begin(self) -> bytes:
        """Return the description that a new run has to begin with, `b""` if the messages begin with one."""
        self._played = {}
        if self._messages and self._messages[0][1]:
            return b""
        if self._tracks:
            self._played = formats_of(self._tracks)
        return self._tracks

    def take(self, *, one_format: bool) -> tuple[bytes, bool]:
        """Return all messages, and whether the format changes behind them.

        Changes are detected with `one_format` only.
        """
        taken: list[bytes] = []
        while self._messages:
            _, is_tracks, whole = self._messages[0]
            if is_tracks:
                formats = formats_of(whole)
                if one_format and self._played and changes(self._played, formats):
                    return b"".join(taken), True
                self._played = formats
            taken.append(whole)
            self._drop()
        return b"".join(taken), False

    def _drop(self) -> None:
        _, is_tracks, whole = self._messages.popleft()
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
