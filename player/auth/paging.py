"""Lists that the server returns page by page, with a limit on their length."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from player.auth.account import Account
from player.errors import CliError
from player.exit_status import ExitStatus

PAGE_ITEMS = 50
ITEMS_MAX = 1000
# The server's limit for a page, and more lines than a session can have (a month of short leases).
PAGE_ITEMS_MAX = 200
ALL_ITEMS_MAX = 600_000


def items(account: Account, path: str, limit: int = ITEMS_MAX) -> list[dict[str, Any]]:
    """Return up to `limit` items of a list, at most ITEMS_MAX. Raises the errors of Account.call."""
    return list(islice(each_item(account, path, min(limit, PAGE_ITEMS)), min(limit, ITEMS_MAX)))


def all_items(account: Account, path: str) -> list[dict[str, Any]]:
    """Return all items of a list. Raises the errors of Account.call, and CliError for an endless list."""
    found = list(islice(each_item(account, path, PAGE_ITEMS_MAX), ALL_ITEMS_MAX + 1))
    if len(found) > ALL_ITEMS_MAX:
        raise CliError(f"The server's list {path} has no end.", "", ExitStatus.FAILED)
    return found


def each_item(
    account: Account, path: str, page_items: int, filters: Mapping[str, str | int] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the items of a list that match the server's `filters`, and read its pages of `page_items` as needed.

    Raises the errors of Account.call.
    """
    cursor = ""
    for _ in range(ALL_ITEMS_MAX):
        query = {"limit": page_items, **(filters or {}), **({"cursor": cursor} if cursor else {})}
        page = account.call("GET", f"{path}?{urlencode(query)}")
        yield from page["items"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return
