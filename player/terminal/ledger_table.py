"""The table of ledger entries for terminals of any width: what an entry is for is wrapped or put below, not cut."""

from collections.abc import Sequence
from typing import Any

from player.terminal.formats import GAP, amount, cells, fit, printable, short_when, table, when, wrapped

HEADER = ("NO", "WHEN", "WHAT", "POINTS")
SUBJECT_HEADER = "FOR"
RIGHT = (0, 3)
# From here on a row has room for whole times and all words.
WIDE = 78
# With less room behind the other columns, what an entry is for stands below it.
SUBJECT_CELLS_MIN = 20
KINDS = {
    "lease": ("lease", "lease"),
    "unserved": ("free: outage", "free"),
    "refund": ("given back", "back"),
    "outage_credit": ("given back: outage", "outage"),
    "credit": ("received", "received"),
    "adjustment": ("adjusted", "adjusted"),
}


def ledger_lines(entries: Sequence[dict[str, Any]], width: int) -> list[str]:
    """Return the lines of the table, header first, none wider than `width` cells.

    Sessions are named only where that leaves a lease on one line.
    """
    left = table(HEADER, [_row(entry, wide=width >= WIDE) for entry in entries], width, right=RIGHT)
    edge = max(cells(line) for line in left) + GAP
    room = width - edge
    leases = [entry for entry in entries if not entry.get("payment_id")]
    named = all(cells(_subject(entry, named=True)) <= room for entry in leases)
    subjects = [_subject(entry, named=named) for entry in entries]
    if max((cells(subject) for subject in subjects), default=0) > room and room < SUBJECT_CELLS_MIN:
        return _below(left, subjects, width)
    lines = [left[0] + " " * (edge - cells(left[0])) + SUBJECT_HEADER]
    for row, subject in zip(left[1:], subjects, strict=True):
        for text, part in zip([row, *[""] * len(subject)], wrapped(subject, room), strict=False):
            lines.append((text + " " * (edge - cells(text)) + part).rstrip())
    return [fit(line, width) for line in lines]


def _below(left: Sequence[str], subjects: Sequence[str], width: int) -> list[str]:
    lines, indent = [left[0]], _indent(left[0])
    for row, subject in zip(left[1:], subjects, strict=True):
        lines += [row, *(" " * indent + part for part in wrapped(subject, width - indent) if part)]
    return lines


def _indent(header: str) -> int:
    """Where the second column begins."""
    return header.index(HEADER[1])


def _row(entry: dict[str, Any], wide: bool) -> list[str]:
    """Return the cells for an entry: number, time, what it is in people's words, points."""
    kind = str(entry["kind"])
    long_word, short_word = KINDS.get(kind, (kind, kind))
    return [
        str(entry["version"]),
        when(entry["at_ms"]) if wide else short_when(entry["at_ms"]),
        printable(long_word if wide else short_word),
        amount(entry["delta_millipoints"], signed=True),
    ]


def _subject(entry: dict[str, Any], named: bool) -> str:
    """Return what an entry is for, with its session if `named`."""
    words = [str(entry.get("stream_id") or "")]
    if entry.get("payment_id"):
        note = f": {entry['note']}" if entry.get("note") else ""
        words.append(f"payment {entry['payment_id']}{note}")
    if entry.get("seq"):
        words.append(f"lease {entry['seq']}")
    if named:
        words.append(str(entry.get("session_id") or ""))
    return printable(" ".join(word for word in words if word))
