"""Acts of operators in lines for people."""

from collections.abc import Sequence
from typing import Any

from player.terminal.text import fit, printable, wrapped
from tollcast_admin.display.columns import Item
from tollcast_admin.display.values import points_of, text_of, when_of

INDENT_CELLS = 4


def entry_lines(entries: Sequence[Item], width: int) -> list[str]:
    """Return the actions with their changes below them, wrapped."""
    lines = []
    for entry in entries:
        heading = f"{when_of(entry['at_ms'])}  {entry['action']}  {target_of(entry)}"
        author = f"by {author_of(entry)}" + (f" from {entry['ip']}" if entry["ip"] else "")
        lines += [fit(printable(heading), width)]
        for text in (author, changes_text(entry)):
            lines += [f"    {line}" for line in wrapped(printable(text), width - INDENT_CELLS) if text]
    return lines


def author_of(entry: Item) -> str:
    """Return the email of who acted, or the id of a service key or an erased account."""
    return str(entry["by_email"] or entry["by_user_id"])


def target_of(entry: Item) -> str:
    """Return what was acted on: an account by its email, anything else by its id."""
    is_account = entry["user_email"] and entry["target"] == entry["user_id"]
    return str(entry["user_email"] if is_account else entry["target"])


def changes_text(entry: Item) -> str:
    """Return what changed, then further details: `balance: 1.000 points → 2.000 points, reason: …`."""
    before, after = entry["before"], entry["after"]
    changed = [f"{_name(name)}: {_value(name, before[name])} → {_value(name, after.get(name))}" for name in before]
    others = {**{name: value for name, value in after.items() if name not in before}, **entry["details"]}
    made = [f"{_name(name)}: {_value(name, value)}" for name, value in others.items()]
    return ", ".join([*changed, *made])


def _name(name: str) -> str:
    """Return the name of a value without the unit that its text has."""
    return name.removesuffix("_millipoints").replace("millipoints", "amount") if name.endswith("millipoints") else name


def _value(name: str, value: Any) -> str:
    """Return a value of an action; a time and an amount as people read them."""
    if isinstance(value, int) and name.endswith(("_at_ms", "until_ms")):
        return when_of(value)
    if isinstance(value, int) and name.endswith("millipoints"):
        return f"{points_of(value)} points"
    return text_of(value)
