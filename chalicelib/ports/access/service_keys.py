"""Service keys."""

from typing import Protocol

from chalicelib.domain.access.service_keys import ServiceKey
from chalicelib.ports.common import ListPage


class ServiceKeyStore(Protocol):
    """The service keys of a stage. Expired and revoked ones disappear after `LISTED_DAYS`."""

    def add(self, key: ServiceKey) -> None:
        """Add a key with a new id."""

    def remove(self, key_id: str) -> None:
        """Delete a key whose secret was not returned. Idempotent."""

    def get(self, key_id: str) -> ServiceKey | None:
        """Return a key by a consistent read, so that a revocation counts at once."""

    def list(self, *, limit: int, cursor: str | None) -> ListPage[ServiceKey]:
        """Return all keys, in no order."""

    def count_usable(self, now_ms: int) -> int:
        """Return how many keys are neither expired nor revoked, by a consistent read."""

    def rotate(self, seen: ServiceKey, new: ServiceKey) -> None:
        """Set secrets and expiry of `new`. Raise `RowRefused` if these or the revocation changed since `seen`."""

    def revoke(self, key_id: str, now_ms: int) -> ServiceKey | None:
        """Revoke a key and return it, None if it is unknown. A second call changes nothing."""

    def mark_used(self, key_id: str, now_ms: int) -> None:
        """Store the time of a use, unless a later one is stored or the key is unknown."""
