"""The table of ledger entries for terminals of any width: the subject of an entry is wrapped, never cut."""

from collections.abc import Sequence
from typing import Any

from player.terminal.formats import amount, short_when, when
from player.terminal.tables import COLUMN_GAP, table
from player.terminal.text import cells, fit, printable, wrapped

HEADER = ("NO", "WHEN", "WHAT", "POINTS")
SUBJECT_HEADER = "FOR"
RIGHT = (0, 3)
# The least width for full times and long words.
WIDE_CELLS_MIN = 78
# With less room after the other columns, the subject goes below the row.
SUBJECT_CELLS_MIN = 20
KINDS = {
    "lease": ("lease", "lease"),
    "unserved": ("free: outage", "free"),
    "refund": ("given back", "back"),
    "outage_credit": ("given back: outage", "outage"),
    "credit": ("received", "received"),
    "adjustment": ("adjusted", "adjusted"),
    "served_ahead": ("fetched ahead", "ahead"),
    "unserved_credit": ("not served", "unserved"),
    "debt_payment": ("open points paid", "open paid"),
    "reversal": ("payment reversed", "reversed"),
}


def ledger_lines(entries: Sequence[dict[str, Any]], width: int) -> list[str]:
    """Return the lines of the table, header first, none wider than `width` cells.

    Sessions are named only if every lease still fits on one line.
    """
    left = table(HEADER, [_row(entry, wide=width >= WIDE_CELLS_MIN) for entry in entries], width, right=RIGHT)
    edge = max(cells(line) for line in left) + COLUMN_GAP
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
    lines, indent = [left[0]], left[0].index(HEADER[1])
    for row, subject in zip(left[1:], subjects, strict=True):
        lines += [row, *(" " * indent + part for part in wrapped(subject, width - indent) if part)]
    return lines


def _row(entry: dict[str, Any], wide: bool) -> list[str]:
    kind = str(entry["kind"])
    long_word, short_word = KINDS.get(kind, (kind, kind))
    return [
        str(entry["version"]),
        when(entry["at_ms"]) if wide else short_when(entry["at_ms"]),
        printable(long_word if wide else short_word),
        amount(entry["delta_millipoints"], signed=True),
    ]


def _subject(entry: dict[str, Any], named: bool) -> str:
    """Return the subject of an entry, with its session if `named`."""
    words = [str(entry.get("stream_id") or "")]
    if entry.get("payment_id"):
        note = f": {entry['note']}" if entry.get("note") else ""
        words.append(f"payment {entry['payment_id']}{note}")
    if entry.get("seq"):
        words.append(f"lease {entry['seq']}")
    if named:
        words.append(str(entry.get("session_id") or ""))
    return printable(" ".join(word for word in words if word))
