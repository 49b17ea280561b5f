"""mpv's JSON IPC over a socket pair that mpv inherits.

A socket pair has no name that other processes could open, is connected from the start, and mpv quits when this end is
closed. The package python-mpv-jsonipc was rejected: it starts mpv itself, uses a named socket and has no timeouts.
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
    """mpv rejected a command, did not answer in time, or has exited."""


class MpvIpc:
    """Commands to mpv and events from it.

    `on_event` is called from the reader thread with each event, and with {"event": "closed"} at the end. It must not
    call `command`, because the reader thread reads the answer.
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
        """Run a command and return its data. Raise MpvError."""
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
        with suppress(OSError):  # mpv may have closed it before
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(2.0)
        self._socket.close()

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                while line := lines.readline(LINE_BYTES_MAX):
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass  # a killed mpv may leave half a line
        for answer in list(self._answers.values()):
            answer.put({"error": "mpv has exited"})
        self._on_event({"event": "closed"})

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._on_event(message)
        elif answer := self._answers.get(message.get("request_id", 0)):
            answer.put(message)
