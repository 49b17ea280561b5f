"""Statements with their hash chain, written without the code of the player and of the app."""

import csv
import hashlib
import io
import json
import time
from datetime import UTC, datetime
from typing import Any

USER_ID = "u-demo"
HASHED = (
    "version", "at_ms", "entry_id", "kind", "delta_millipoints", "session_id", "stream_id", "seq", "payment_id", "note",
)  # fmt: skip
COLUMNS = (
    "version", "at", "at_ms", "entry_id", "kind", "delta_millipoints", "balance_millipoints", "session_id",
    "stream_id", "seq", "payment_id", "note", "hash",
)  # fmt: skip


def statement_of(
    ledger: list[dict[str, Any]], after_version: int = 0, part_lines: int = 5_000, user_id: str = USER_ID
) -> dict[str, Any]:
    balance, previous = 0, hashlib.sha256(f"tollcast ledger 1\n{user_id}".encode()).hexdigest()
    states, lines = [{"version": 0, "balance_millipoints": 0, "hash": previous}], []
    for entry in ledger:
        text = json.dumps([entry[name] for name in HASHED], separators=(",", ":"), ensure_ascii=True)
        previous = hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
        balance += entry["delta_millipoints"]
        states.append({"version": entry["version"], "balance_millipoints": balance, "hash": previous})
        lines.append({**entry, "balance_millipoints": balance, "hash": previous})
    part = lines[after_version : after_version + part_lines]
    end = after_version + len(part)
    return {
        "format": "tollcast-statement-1", "user_id": user_id, "created_at_ms": time.time_ns() // 1_000_000,
        "opening": states[after_version], "lines": part, "closing": states[end],
        "next_after_version": end if end < len(lines) else None,
    }  # fmt: skip


def as_csv(document: dict[str, Any]) -> str:
    """Return the same statement as CSV."""
    opening = {
        "kind": "opening", "entry_id": document["user_id"], "delta_millipoints": 0, "at_ms": document["created_at_ms"],
        **document["opening"],
    }  # fmt: skip
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in (opening, *document["lines"]):
        at = datetime.fromtimestamp(line["at_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
        shown = {**line, "at": at.replace("+00:00", "Z")}
        writer.writerow([shown.get(name) for name in COLUMNS])
    return out.getvalue()
