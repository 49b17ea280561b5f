"""Commands that show a list: its options, and how it is read, shown and watched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import click

from player.auth.paging import PAGE_ITEMS_MAX, each_item
from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, Item, column_table
from tollcast_admin.display.watching import watch
from tollcast_admin.options.json_fields import json_option, json_text

LIMIT_DEFAULT, LIMIT_MAX = 50, 10_000
EVERY_S_DEFAULT, EVERY_S_MIN, EVERY_S_MAX = 2.0, 0.5, 3_600.0
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class ListView:
    """A list of the server, and how it is shown: in columns, or by `lines` for a width.

    `empty` is shown in place of an empty list. Filters with None are left out.
    """

    path: str
    columns: Sequence[Column]
    empty: str
    filters: Mapping[str, str | int | bool | None]
    lines: Callable[[Sequence[Item], int], list[str]] | None = None


def list_options(command: Command) -> Command:
    """Add `--limit` and `--json` to a command."""
    limit = click.option(
        "--limit",
        type=click.IntRange(1, LIMIT_MAX),
        default=LIMIT_DEFAULT,
        show_default=True,
        help="How many to show.",
    )
    return limit(json_option(command))


def watch_options(command: Command) -> Command:
    """Add `--watch` and `--every` to a command."""
    is_watched = click.option("--watch", "is_watched", is_flag=True, help="Show it live, until Ctrl-C.")
    every = click.option(
        "--every",
        "every_s",
        type=click.FloatRange(EVERY_S_MIN, EVERY_S_MAX),
        metavar="SECONDS",
        help=f"Show it live, at this interval instead of {EVERY_S_DEFAULT:g} s.",
    )
    return is_watched(every(command))


def json_indent(is_watched: bool, every_s: float | None) -> int | None:
    """Return the indent of JSON: None, for one line, where it is shown again and again."""
    return None if is_watched or every_s is not None else 2


def show(render: Callable[[], list[str]], is_watched: bool = False, every_s: float | None = None) -> None:
    """Print the lines once, or watch them."""
    if is_watched or every_s is not None:
        watch(render, every_s or EVERY_S_DEFAULT)
        return
    for line in render():
        click.echo(line)


def show_list(
    context: AdminContext,
    view: ListView,
    limit: int,
    json_fields: str | None,
    is_watched: bool = False,
    every_s: float | None = None,
) -> None:
    """Show a list as a table or as JSON, once or live. Raises the errors of Account.call."""

    def render() -> list[str]:
        items, is_more = read_list(context, view.path, view.filters, limit)
        if json_fields is not None:
            return [json_text(items, json_fields, indent=json_indent(is_watched, every_s))]
        return list_lines(view, items, is_more, terminal_width())

    show(render, is_watched, every_s)


def read_list(
    context: AdminContext, path: str, filters: Mapping[str, str | int | bool | None], limit: int
) -> tuple[list[Item], bool]:
    """Return up to `limit` items of a list, and whether there are more. Raises the errors of Account.call."""
    given = {name: _as_query(value) for name, value in filters.items() if value is not None}
    page_items = min(limit + 1, PAGE_ITEMS_MAX)
    items = list(islice(each_item(context.account, path, page_items, given), limit + 1))
    return items[:limit], len(items) > limit


def list_lines(view: ListView, items: Sequence[Item], is_more: bool, width: int) -> list[str]:
    """Return the lines of a list, with a note if there are more items."""
    if not items:
        return [view.empty]
    note = ["", f"These are the first {len(items)}. --limit shows more."] if is_more else []
    shown = view.lines(items, width) if view.lines else column_table(view.columns, items, width)
    return [*shown, *note]


def _as_query(value: str | int | bool) -> str | int:
    return str(value).lower() if isinstance(value, bool) else value
