"""Lists that the server hands out page by page, with a bound on how much is asked for."""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from player.account import Account

PAGE_ITEMS = 50
ITEMS_MAX = 1000


def items(account: Account, path: str, limit: int = ITEMS_MAX) -> list[dict[str, Any]]:
    """Return up to `limit` items of a list, at most ITEMS_MAX. Raises what Account.call raises."""
    return list(islice(_pages(account, path, min(limit, PAGE_ITEMS)), min(limit, ITEMS_MAX)))


def _pages(account: Account, path: str, page_items: int) -> Iterator[dict[str, Any]]:
    cursor = ""
    for _ in range(ITEMS_MAX):
        query = {"limit": page_items, **({"cursor": cursor} if cursor else {})}
        page = account.call("GET", f"{path}?{urlencode(query)}")
        yield from page["items"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return
