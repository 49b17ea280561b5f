"""mpv's JSON IPC over a socket that mpv inherited.

Own code rather than PyPI's python-mpv-jsonipc (1.5.0, Apache-2.0): that one is 1,377 lines which want to start mpv
themselves and reach it by a named socket, which other processes of the user could open too; and it has neither the
parent-death signal nor the bounded waits that are needed here. A socket pair has no name, is connected from the
start, and mpv quits by itself when this end closes.
"""

import itertools
import json
import queue
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

LINE_BYTES_MAX = 1_000_000


class MpvError(Exception):
    """mpv refused a command, did not answer in time, or is gone."""


class MpvIpc:
    """Commands to mpv and events from it.

    `on_event` is called from the reader's thread with each event, and with {"event": "closed"} at the end. It must
    not call `command`, whose answer that same thread has to read.
    """

    def __init__(self, connection: socket.socket, on_event: Callable[[dict[str, Any]], None]) -> None:
        self._socket = connection
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, name="mpv-ipc", daemon=True)
        self._thread.start()

    def command(self, *words: Any, timeout_s: float = 3.0) -> Any:
        """Run a command and return its data. Raises MpvError."""
        number = next(self._numbers)
        answer: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        line = json.dumps({"command": words, "request_id": number}) + "\n"
        self._answers[number] = answer
        try:
            with self._lock:
                self._socket.sendall(line.encode())
            message = answer.get(timeout=timeout_s)
        except (OSError, queue.Empty):
            raise MpvError(f"no answer to {words[0]}") from None
        finally:
            self._answers.pop(number, None)
        if message.get("error") != "success":
            raise MpvError(f"{words[0]}: {message.get('error')}")
        return message.get("data")

    def close(self) -> None:
        """Close the connection; mpv quits."""
        with suppress(OSError):  # mpv may have closed it first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(2.0)
        self._socket.close()

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                while line := lines.readline(LINE_BYTES_MAX):
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass  # an mpv that was killed may leave half a line
        for answer in list(self._answers.values()):
            answer.put({"error": "mpv is gone"})
        self._on_event({"event": "closed"})

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._on_event(message)
        elif answer := self._answers.get(message.get("request_id", 0)):
            answer.put(message)
