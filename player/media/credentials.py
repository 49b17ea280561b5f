"""The gate that every media request passes: shut while mpv is paused, closed for good when the session is over."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

FRESH_WAIT_S = 10.0


@dataclass(frozen=True)
class Ticket:
    """What a media request needs: the session's address at the gateway, and its current play token."""

    base_url: str
    token: str


class GateClosedError(Exception):
    """The session is over: nothing may be fetched any more."""


class GateTimeoutError(Exception):
    """The gate stayed shut, or no fresh ticket came, for as long as anyone may wait."""


class Gate:
    """Hands out tickets. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ticket: Ticket | None = None
        self._held = False
        self._closed = False

    def issue(self, ticket: Ticket) -> None:
        """Replace the ticket that is handed out."""
        with self._changed:
            self._ticket = ticket
            self._changed.notify_all()

    def hold(self) -> None:
        """Let requests wait from now on."""
        with self._changed:
            self._held = True

    def release(self) -> None:
        """Let waiting requests go on."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def close(self) -> None:
        """End all waiting, and refuse everything from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def ticket(self, hold_s_max: float, unlike: str = "") -> Ticket:
        """Return the ticket, as soon as the gate is not held.

        A token that the gateway just refused is handed in as `unlike`: then a ticket with another one is waited for.
        Raises GateClosedError and GateTimeoutError.
        """
        with self._changed:
            self._wait_while(lambda: self._held, hold_s_max)
            self._wait_while(lambda: self._held or self._ticket is None or self._ticket.token == unlike, FRESH_WAIT_S)
            assert self._ticket is not None
            return self._ticket

    def is_current(self, token: str) -> bool:
        """Return whether this token is the one that is handed out now."""
        with self._changed:
            return self._ticket is not None and self._ticket.token == token

    def wait_closed(self, seconds: float) -> bool:
        """Wait some seconds, or less when the gate closes. Return whether it is closed."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, seconds)

    def _wait_while(self, shut: Callable[[], bool], seconds: float) -> None:
        if not self._changed.wait_for(lambda: self._closed or not shut(), seconds):
            raise GateTimeoutError
        if self._closed:
            raise GateClosedError
