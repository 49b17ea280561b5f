"""What people call users and streams, for lists."""

from collections.abc import Iterable, Mapping
from typing import Protocol


class Labels(Protocol):
    """Emails and titles of many rows at once. Both leave out missing rows and those that were not read in time."""

    def emails(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Return the emails of these users, without erased ones."""

    def titles(self, stream_ids: Iterable[str]) -> Mapping[str, str]:
        """Return the titles of these streams, also of archived ones."""
