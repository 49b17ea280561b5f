"""Sockets of several threads that must be closed together."""

import socket
import threading
from contextlib import suppress


class OpenSockets:
    """Those that are open. Once shut, whatever is added is refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._shut = False

    def add(self, each: socket.socket) -> None:
        """Take it in; `ConnectionAbortedError` when all was shut."""
        with self._lock:
            if self._shut:
                raise ConnectionAbortedError
            self._open.add(each)

    def drop(self, each: socket.socket) -> None:
        """Close it, also for readers of it that are not closed yet."""
        with self._lock:
            self._open.discard(each)
        _end(each)
        each.close()

    def shut(self) -> None:
        """End what their threads wait for, so that each of them comes to close its own."""
        with self._lock:
            self._shut = True
            for each in self._open:
                _end(each)


def _end(each: socket.socket) -> None:
    # Not by a TLS socket's own method, which would take away what its thread is reading from.
    with suppress(OSError):
        socket.socket.shutdown(each, socket.SHUT_RDWR)
