"""Values behind their names, one below the other."""

from collections.abc import Iterable

from player.terminal.text import printable, wrapped

VALUE_CELLS_MIN = 20


def field_lines(fields: Iterable[tuple[str, str | None]], width: int) -> list[str]:
    """Return a line for each value, wrapped below itself. Fields with None are left out."""
    shown = [(name, value) for name, value in fields if value is not None]
    indent = max((len(name) for name, _ in shown), default=0) + 2
    lines = []
    for name, value in shown:
        first, *more = wrapped(printable(value), max(width - indent, VALUE_CELLS_MIN))
        lines.append(f"{name + ':':<{indent}}{first}".rstrip())
        lines += [" " * indent + text for text in more]
    return lines
