"""What all ports share: failures, lists, the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


class StoreUnavailable(Exception):
    """A store did not answer, or answered that it cannot now. Whether a write happened is unknown."""


class RowRefused(Exception):
    """A condition on another table's row did not hold: it changed meanwhile, or exists already."""


@dataclass(frozen=True)
class ListPage(Generic[Item]):
    """A part of a list; `next_cursor` is opaque, URL-safe, and None at the end."""

    items: Sequence[Item]
    next_cursor: str | None


class Clock(Protocol):
    """The server's clock, the only one that counts."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...
