"""Where the token keys are kept."""

from typing import Protocol

from chalicelib.domain.access.key_sets import KeySets


class KeyStore(Protocol):
    """The key sets, all in one place."""

    def read(self) -> tuple[KeySets, str]:
        """The sets and their version."""
        ...

    def replace(self, version: str, sets: KeySets) -> None:
        """Put others in their place, if the version is still the current one, else raise `RowRefused`."""
        ...
