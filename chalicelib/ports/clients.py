"""Addresses and user agents of people."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from chalicelib.domain.access.clients import Client


class Clients(Protocol):
    """Addresses and user agents by key (`domain/access/clients.py`). They expire after the stage's `address_days`."""

    def put(self, key: str, user_id: str, client: Client, now_ms: int) -> None:
        """Write down who asked."""
        ...

    def get_many(self, keys: Iterable[str], now_ms: int) -> Mapping[str, Client]:
        """Who asked, by key; those that are not kept any more are left out."""
        ...

    def bind(self, key: str, user_id: str, client: Client, now_ms: int) -> Client:
        """The first client of this key, which is this one if there is none yet: of several at once, one is first."""
        ...

    def mark_elsewhere(self, key: str) -> bool:
        """Note that another client than the first has asked. Whether this was the first such note."""
        ...

    def delete(self, key: str) -> None:
        """Forget one. Idempotent."""
        ...

    def delete_of_user(self, user_id: str, limit: int) -> int:
        """Forget up to `limit` of a user's, and answer how many those were."""
        ...
