"""Acts of operators in lines for people."""

from collections.abc import Sequence

from player.terminal.text import fit, printable, wrapped
from tollcast_admin.display.columns import Item
from tollcast_admin.display.values import text_of, when_of

INDENT_CELLS = 4


def entry_lines(entries: Sequence[Item], width: int) -> list[str]:
    """Return the actions with their changes below them, wrapped."""
    lines = []
    for entry in entries:
        heading = f"{when_of(entry['at_ms'])}  {entry['action']}  {entry['target']}"
        author = f"by {entry['by_user_id']}" + (f" from {entry['ip']}" if entry["ip"] else "")
        lines += [fit(printable(heading), width)]
        for text in (author, changes_text(entry)):
            lines += [f"    {line}" for line in wrapped(printable(text), width - INDENT_CELLS) if text]
    return lines


def changes_text(entry: Item) -> str:
    """Return what changed, then further details: `rate_millipoints_per_minute: 60000 → 500, reason: …`."""
    before, after = entry["before"], entry["after"]
    changed = [f"{name}: {text_of(before[name])} → {text_of(after.get(name))}" for name in before]
    made = [f"{name}: {text_of(value)}" for name, value in after.items() if name not in before]
    return ", ".join([*changed, *made, *(f"{name}: {text_of(value)}" for name, value in entry["details"].items())])
