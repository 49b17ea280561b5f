"""The store of the token keys."""

from typing import Protocol

from chalicelib.domain.access.key_sets import KeySets


class KeyStore(Protocol):
    """The key sets, stored together."""

    def read(self) -> tuple[KeySets, str]:
        """Return the sets and their version."""

    def replace(self, version: str, sets: KeySets) -> None:
        """Replace the sets. Raise `RowRefused` if `version` is no longer current."""
