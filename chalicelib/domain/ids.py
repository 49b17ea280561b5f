"""Identifiers: how they are made and what they may look like."""

import re
import secrets
from base64 import b32encode
from hashlib import sha256

STREAM_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
PAYMENT_ID = re.compile(r"[A-Za-z0-9_:-]{1,64}")
USER_ID = re.compile(r"u_[a-z2-7]{20}")
SESSION_ID = re.compile(r"[a-z2-7]{26}")
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_session_id() -> str:
    """130 random bits, safe in a path, a file name and a DynamoDB attribute path placeholder."""
    return _random(26)


def session_id_of(user_id: str, idempotency_key: str) -> str:
    """The session that a user's start with this key opens: always the same, and nobody else's."""
    return b32encode(sha256(f"{user_id}\n{idempotency_key}".encode()).digest()).decode().lower()[:26]


def new_user_id() -> str:
    """100 random bits, marked `u_`."""
    return "u_" + _random(20)


def new_stream_id() -> str:
    """40 random bits, marked `stream-`; only used where the operator gives no id."""
    return "stream-" + _random(8)


def new_ingest_key() -> str:
    """120 random bits: what a sender must know. Also a good passphrase for SRT, which wants 10 to 79 characters."""
    return _random(24)


def new_token_id() -> str:
    """100 random bits: the `jti` of a token and the id of a refresh family."""
    return _random(20)
