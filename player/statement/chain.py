"""How the lines of a ledger are chained by hashes, so that a saved statement can be checked without the server.

canonical(line) = the HASHED fields as a JSON array, without spaces, in ASCII, null for what is missing
genesis         = sha256("tollcast ledger 1\\n" + user_id)
hash(line)      = sha256(hash of the line before + "\\n" + canonical(line)), in hex
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

HASHED = (
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
    """Return the text of a line that its hash is made of. Raises KeyError for a field that is missing."""
    return json.dumps([line[name] for name in HASHED], separators=(",", ":"), ensure_ascii=True)


def genesis(user_id: str) -> str:
    """Return the hash before a user's first line."""
    return _sha256(f"tollcast ledger 1\n{user_id}")


def line_hash(before: str, line: Mapping[str, Any]) -> str:
    """Return a line's hash. `before` is the hash of the line before it."""
    return _sha256(f"{before}\n{canonical(line)}")


def _sha256(text: str) -> str:
    # A lone surrogate is no text that the server wrote; it must not stop the check.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
