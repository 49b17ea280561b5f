"""What all ports share: errors, pages, the clock."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


class StoreUnavailable(Exception):
    """A store did not answer or cannot answer now. Whether a write happened is unknown."""


class RowRefused(Exception):
    """A condition on a row did not hold: it changed meanwhile, or exists already."""


@dataclass(frozen=True)
class ListPage(Generic[Item]):
    """A page of a list. `next_cursor` is opaque, URL-safe, and None at the end."""

    items: Sequence[Item]
    next_cursor: str | None


def all_items(read: Callable[..., ListPage[Item]], *arguments: object, **options: object) -> Iterator[Item]:
    """Yield the items of all pages. `read` returns a page for these arguments and a `cursor`."""
    cursor: str | None = None
    while True:
        page = read(*arguments, **options, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


class Clock(Protocol):
    """The server's clock."""

    def now_ms(self) -> int:
        """Return the milliseconds since the epoch."""
