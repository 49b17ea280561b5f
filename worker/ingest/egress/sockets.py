"""Sockets of several threads that must be closed together."""

import socket
import threading
from contextlib import suppress


class OpenSockets:
    """The open sockets. After `shut`, no socket is accepted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._shut = False

    def add(self, each: socket.socket) -> None:
        """Add a socket. Raise `ConnectionAbortedError` after `shut`."""
        with self._lock:
            if self._shut:
                raise ConnectionAbortedError
            self._open.add(each)

    def drop(self, each: socket.socket) -> None:
        """Close a socket, also for threads that still read from it."""
        with self._lock:
            self._open.discard(each)
        _end(each)
        each.close()

    def shut(self) -> None:
        """End what the threads wait for, so that each closes its own sockets."""
        with self._lock:
            self._shut = True
            for each in self._open:
                _end(each)


def _end(each: socket.socket) -> None:
    # A TLS socket's own method would break the object that its thread is reading from.
    with suppress(OSError):
        socket.socket.shutdown(each, socket.SHUT_RDWR)
