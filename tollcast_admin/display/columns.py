"""Tables of items with columns that are dropped or shortened to fit the terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from player.terminal.tables import COLUMN_GAP
from player.terminal.text import cells, fit, printable

Item = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column. `text` makes a cell of an item.

    A column is cut down to `cells_min` where there is no room; 0 means never, for ids that are copied. Columns with the
    highest `rank` are dropped first, those of rank 0 never.
    """

    heading: str
    text: Callable[[Item], str]
    is_right: bool = False
    cells_min: int = 0
    rank: int = 0


def column_table(columns: Sequence[Column], items: Sequence[Item], width: int) -> list[str]:
    """Return the lines of a table, heading first, none wider than `width` cells."""
    texts = {column: [column.heading, *(printable(column.text(item)) for item in items)] for column in columns}
    widths = {column: max(map(cells, texts[column])) for column in columns}
    while _least(widths) > width and (dropped := max(widths, key=lambda each: each.rank)).rank:
        del widths[dropped]
    _shrink(widths, width)
    return [
        fit(
            (" " * COLUMN_GAP).join(_cell(texts[column][row], column, widths[column]) for column in widths), width
        ).rstrip()
        for row in range(len(items) + 1)
    ]


def _least(widths: dict[Column, int]) -> int:
    """Return the width of the table with all columns cut as far as they may be."""
    gaps = COLUMN_GAP * (len(widths) - 1)
    return gaps + sum(min(width, column.cells_min or width) for column, width in widths.items())


def _shrink(widths: dict[Column, int], width: int) -> None:
    """Cut the widest of the columns that may be cut, cell by cell, until the table fits."""
    excess = sum(widths.values()) + COLUMN_GAP * (len(widths) - 1) - width
    while excess > 0:
        able = [column for column, now in widths.items() if column.cells_min and now > column.cells_min]
        if not able:
            return
        widths[max(able, key=lambda column: widths[column])] -= 1
        excess -= 1


def _cell(text: str, column: Column, width: int) -> str:
    shown = fit(text, width)
    padding = " " * (width - cells(shown))
    return padding + shown if column.is_right else shown + padding
