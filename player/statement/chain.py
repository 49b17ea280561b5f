"""The hash chain of a ledger's lines. With it, `verification.py` checks a saved statement without the server.

The format is public (docs/billing.md, "Statements"). The server has its own code for it, in
`chalicelib/domain/money/chain.py`: change both, and `LINE_FIELDS` in `statement.py`.

canonical(line) = the HASHED_FIELDS as a JSON array, without spaces, in ASCII, null for missing values
genesis         = sha256("tollcast ledger 1\\n" + user_id)
hash(line)      = sha256(hash of the previous line + "\\n" + canonical(line)), in hex
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

HASHED_FIELDS = (
    "version",
    "at_ms",
    "entry_id",
    "kind",
    "delta_millipoints",
    "session_id",
    "stream_id",
    "seq",
    "payment_id",
    "note",
)


def canonical(line: Mapping[str, Any]) -> str:
    """Return the part of a line that is hashed, as JSON. Raise `KeyError` for a missing field."""
    return json.dumps([line[name] for name in HASHED_FIELDS], separators=(",", ":"), ensure_ascii=True)


def genesis(user_id: str) -> str:
    """Return the hash that precedes a user's first line."""
    return _sha256(f"tollcast ledger 1\n{user_id}")


def line_hash(previous: str, line: Mapping[str, Any]) -> str:
    """Return a line's hash. `previous` is the hash of the previous line."""
    return _sha256(f"{previous}\n{canonical(line)}")


def _sha256(text: str) -> str:
    # The user id and the hash before come from the file. A lone surrogate in them must not stop the check.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
