"""Senders: of a transport stream by SRT byte for byte, and of a file by RTMP. Both reconnect, as real ones do."""

import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.media.inputs.edits import PACKET

WRITES_PER_S = 20
AGAIN_AFTER_S = 1.0
# A sender that was connected for less than this was not accepted.
LET_IN_S = 3.0
JOIN_S = 10.0


class Sender(threading.Thread):
    """A sender that runs until it is closed or `has_sent_all`. `sent_away` counts lost connections."""

    def __init__(self, argv: list[str], feed: Callable[["Sender"], None]) -> None:
        super().__init__(daemon=True)
        self.sent_away = 0
        self.is_over = threading.Event()
        self.child: subprocess.Popen[bytes] | None = None
        self._argv, self._feed = argv, feed
        self.has_sent_all = False

    def run(self) -> None:
        """Connect, and again after the connection was lost."""
        while not self.is_over.is_set() and not self.has_sent_all:
            began_s = time.monotonic()
            quiet = subprocess.DEVNULL
            self.child = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
            self._feed(self)
            if not self.is_over.is_set() and not self.has_sent_all:
                self.sent_away += time.monotonic() - began_s > LET_IN_S
                self.is_over.wait(AGAIN_AFTER_S)
            self._end()

    def close(self) -> None:
        """Send no more."""
        self.is_over.set()
        self._end()
        self.join(JOIN_S)

    def _end(self) -> None:
        if self.child:
            self.child.kill()
            self.child.wait(JOIN_S)
            with suppress(OSError):
                self.child.stdin.close()


def by_srt(url: str, path: Path, turn_s: float, turns: int) -> Sender:
    """Send a transport stream in real time, so many turns in one connection, with its time stamps as they are."""
    argv = ["ffmpeg", "-v", "error", "-f", "data", "-i", "pipe:0", "-map", "0", "-c", "copy", "-f", "data", url]
    body = path.read_bytes()
    step = max(PACKET, round(len(body) / PACKET / turn_s / WRITES_PER_S) * PACKET)

    def feed(sender: Sender) -> None:
        due_s = time.monotonic()
        assert sender.child and sender.child.stdin
        with suppress(OSError, ValueError):
            for _ in range(turns):
                for at in range(0, len(body), step):
                    piece = body[at : at + step]
                    sender.child.stdin.write(piece)
                    sender.child.stdin.flush()
                    due_s += turn_s * len(piece) / len(body)
                    if sender.is_over.wait(max(0.0, due_s - time.monotonic())):
                        return
            sender.has_sent_all = True

    return Sender(argv, feed)


def by_rtmp(server: str, stream_key: str, path: Path) -> Sender:
    """Send a file in turns without end, as it is."""
    target = ["-c", "copy", "-f", "flv", f"{server}/{stream_key}"]
    argv = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(path), *target]

    def feed(sender: Sender) -> None:
        assert sender.child
        sender.child.wait()

    return Sender(argv, feed)
