"""Identifiers: how they are generated and their formats."""

import re
import secrets
from base64 import b32encode
from hashlib import sha256

STREAM_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
PAYMENT_ID = re.compile(r"[A-Za-z0-9_:-]{1,64}")
USER_ID = re.compile(r"u_[a-z2-7]{20}")
# A user id, and for a single stream a dot and the stream id.
BLOCK_ID = re.compile(rf"{USER_ID.pattern}(?:\.{STREAM_ID.pattern})?")
SESSION_ID = re.compile(r"[a-z2-7]{26}")
KEY_ID = re.compile(r"[a-z2-7]{16}")
KEY_SECRET = re.compile(r"[a-z2-7]{52}")
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
SESSION_CHARS, USER_CHARS = 26, 20
# Marks the ids of synthetic viewers and of their sessions. As a part of the id, it cannot change or get lost, and all
# who count know it without a read: functions, schedules, and the followers of the gateways' logs.
_CANARY = "canary"
CANARY_USERS = f"u_{_CANARY}"


def _random(length: int) -> str:
    """Return 5 bits for each character, never with the mark, which one in 10^9 would begin with."""
    return _unmarked("".join(secrets.choice(_ALPHABET) for _ in range(length + 1)))[:length]


def _unmarked(text: str) -> str:
    """Return a text that does not begin with the mark. Users could find an idempotency key whose hash does."""
    return text[1:] if text.startswith(_CANARY) else text


def is_canary(user_or_session_id: str) -> bool:
    """Return whether an id is a synthetic viewer's or of a session of one, which business figures leave out."""
    return user_or_session_id.startswith((_CANARY, CANARY_USERS))


def new_session_id(user_id: str = "") -> str:
    """Return 130 random bits that are safe in a path, a file name and a DynamoDB attribute name."""
    return _session_id(user_id, _random(SESSION_CHARS))


def session_id_of(user_id: str, idempotency_key: str) -> str:
    """Return the session id of a user's start with this key. The same input gives the same id."""
    return _session_id(user_id, b32encode(sha256(f"{user_id}\n{idempotency_key}".encode()).digest()).decode().lower())


def _session_id(user_id: str, text: str) -> str:
    return ((_CANARY if is_canary(user_id) else "") + _unmarked(text))[:SESSION_CHARS]


def new_user_id() -> str:
    """Return `u_` and 100 random bits."""
    return "u_" + _random(USER_CHARS)


def new_canary_id() -> str:
    """Return the id of a synthetic viewer, with 70 random bits."""
    return f"{CANARY_USERS}{_random(USER_CHARS - len(_CANARY))}"


def new_stream_id() -> str:
    """Return `stream-` and 40 random bits, for streams that get no id from their operator."""
    return "stream-" + _random(8)


def new_ingest_key() -> str:
    """Return 120 random bits, a sender's secret. Also fits SRT, whose passphrases have 10 to 79 characters."""
    return _random(24)


def new_key_id() -> str:
    """Return 80 random bits, for the id of a service key."""
    return _random(16)


def new_key_secret() -> str:
    """Return 260 random bits, for the secret of a service key."""
    return _random(52)


def new_token_id() -> str:
    """Return 100 random bits, for the `jti` of a token and the id of a refresh family."""
    return _random(20)
