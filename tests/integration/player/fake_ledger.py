"""The fake platform's ledger: pages, and statements with their hash chain."""

import csv
import hashlib
import io
import json
import threading
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


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class FakeLedger:
    """The balance of the only viewer, and its changes."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.balance = 0
        self.ledger: list[dict[str, Any]] = []
        self.part_lines = 5_000

    def top_up(self, millipoints: int, payment_id: str, note: str | None = None) -> None:
        with self.lock:
            self.balance += millipoints
            self._add_entry(f"p.{payment_id}", "credit", millipoints, payment_id=payment_id, note=note)

    def _add_entry(self, entry_id: str, kind: str, delta: int, **fields: Any) -> None:
        entry = {
            "version": len(self.ledger) + 1, "entry_id": entry_id, "delta_millipoints": delta, "kind": kind,
            "at_ms": now_ms(), "session_id": None, "stream_id": None, "seq": None, "payment_id": None, "note": None,
        }  # fmt: skip
        self.ledger.append({**entry, **fields})

    def ledger_part(self, query: dict[str, list[str]]) -> dict[str, Any]:
        return part_of(self.ledger[::-1], query)

    def statement(self, after_version: int = 0) -> dict[str, Any]:
        """Return a part of the statement as JSON."""
        return statement_of(self.ledger, after_version, self.part_lines)


def statement_of(
    ledger: list[dict[str, Any]], after_version: int = 0, part_lines: int = 5_000, user_id: str = USER_ID
) -> dict[str, Any]:
    """Return the statement of a ledger. It does not use the player's code."""
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
        "format": "tollcast-statement-1", "user_id": user_id, "created_at_ms": now_ms(),
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


def part_of(found: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    limit, skip = int(query.get("limit", ["20"])[0]), int(query.get("cursor", ["0"])[0])
    rest = len(found) > skip + limit
    return {"items": found[skip : skip + limit], "next_cursor": str(skip + limit) if rest else None}
