"""Addresses and user agents of people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from chalicelib.domain.access.clients import Client
from chalicelib.domain.timeline import LoginEvent


class Clients(Protocol):
    """Addresses and user agents by key (`domain/access/clients.py`). They expire after the stage's `address_days`."""

    def put(self, key: str, user_id: str, client: Client, now_ms: int) -> None:
        """Store a client."""

    def get_many(self, keys: Iterable[str], now_ms: int) -> Mapping[str, Client]:
        """Return the clients by key, without expired ones."""

    def bind(self, key: str, user_id: str, client: Client, now_ms: int) -> Client:
        """Return the first client of this key: this one, unless another is stored. Concurrent calls agree."""

    def mark_elsewhere(self, key: str) -> bool:
        """Note that another client has asked. Return whether this is the first such note."""

    def logins_of_user(self, user_id: str, *, until_ms: int, limit: int, now_ms: int) -> Sequence[LoginEvent]:
        """Return a user's logins up to a time, newest first, without expired ones."""

    def delete(self, key: str) -> None:
        """Delete a client. Idempotent."""

    def delete_of_user(self, user_id: str, limit: int) -> int:
        """Delete up to `limit` of a user's clients, and return how many."""
