"""Tables that fit the terminal's width."""

from collections.abc import Sequence

from player.terminal.text import cells, fit

COLUMN_CELLS_MIN = 4
COLUMN_GAP = 2


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    right: Sequence[int] = (),
    shrink_first: Sequence[int] = (),
) -> list[str]:
    """Return the lines of a table that is at most `width` cells wide. The widest columns shrink.

    `right` holds the numbers of the right-aligned columns, `shrink_first` those of the columns that shrink first.
    """
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(cells(line[column]) for line in lines) for column in range(len(header))]
    excess = sum(widths) + COLUMN_GAP * (len(widths) - 1) - width
    for column in shrink_first:
        cut = min(excess, widths[column] - COLUMN_CELLS_MIN)
        if cut > 0:
            widths[column] -= cut
            excess -= cut
    while excess > 0 and max(widths) > COLUMN_CELLS_MIN:
        widest = widths.index(max(widths))
        widths[widest] -= 1
        excess -= 1
    return [fit(_line(line, widths, right), width) for line in lines]


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    parts = []
    for column, text in enumerate(texts):
        shown = fit(text, widths[column])
        padding = " " * (widths[column] - cells(shown))
        parts.append(padding + shown if column in right else shown + padding)
    return (" " * COLUMN_GAP).join(parts).rstrip()
