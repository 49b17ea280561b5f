"""What media requests are sent with. The provider holds requests while mpv is paused and rejects them at the end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

REFRESH_S_MAX = 10.0


@dataclass(frozen=True)
class MediaCredentials:
    """The session's address at the gateway, and its current play token."""

    base_url: str
    token: str


class SessionOverError(Exception):
    """The session is over: no media may be fetched."""


class CredentialsTimeoutError(Exception):
    """The requests were held for too long, or no fresh credentials came in time."""


class CredentialsProvider:
    """Hands out the current credentials. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._current: MediaCredentials | None = None
        self._is_held = False
        self._is_closed = False

    def update(self, credentials: MediaCredentials) -> None:
        """Replace the credentials."""
        with self._changed:
            self._current = credentials
            self._changed.notify_all()

    def hold(self) -> None:
        """Make `get` wait until `release`."""
        with self._changed:
            self._is_held = True
            self._changed.notify_all()

    def release(self) -> None:
        """Let `get` return again."""
        with self._changed:
            self._is_held = False
            self._changed.notify_all()

    def close(self) -> None:
        """End all waits, and make every later `get` raise SessionOverError."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def get(self, hold_s_max: float, other_than: str = "") -> MediaCredentials:
        """Return the credentials as soon as they are not held.

        After the gateway refused a token, pass it as `other_than`: then this waits for another one.
        Raise SessionOverError and CredentialsTimeoutError.
        """
        with self._changed:
            while True:
                self._wait_while(lambda: self._is_held, hold_s_max)
                # A hold that begins now is waited for like any other: it may be much longer.
                self._wait_while(lambda: not self._is_held and not self._has_other(other_than), REFRESH_S_MAX)
                if not self._is_held:
                    assert self._current is not None
                    return self._current

    def is_current(self, token: str) -> bool:
        """Return whether this token is the current one."""
        with self._changed:
            return self._current is not None and self._current.token == token

    def wait_closed(self, seconds: float) -> bool:
        """Wait some seconds, or less when the session ends. Return whether it is over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_closed, seconds)

    def _has_other(self, than: str) -> bool:
        return self._current is not None and self._current.token != than

    def _wait_while(self, is_blocked: Callable[[], bool], seconds: float) -> None:
        if not self._changed.wait_for(lambda: self._is_closed or not is_blocked(), seconds):
            raise CredentialsTimeoutError
        if self._is_closed:
            raise SessionOverError
