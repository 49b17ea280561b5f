"""Redaction of secrets in what operators may read: addresses of sources carry keys, tokens and passphrases."""

import re
from collections.abc import Iterable

HIDDEN = "***"
# Shorter ones would hide harmless words.
SECRET_CHARS_MIN = 6
# Up to the next space: quotes and brackets around an address may also be part of its query.
# The length of a scheme is bounded for the time that a line takes. Of a longer one the end counts.
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]{0,30})://(\S*)", re.IGNORECASE)
_NAMED = re.compile(
    r"\b(passphrase|streamid|pass(?:word|wd)?|secret|token|key|sig(?:nature)?|auth)=(?!\*)\S+", re.IGNORECASE
)
_HEADER = re.compile(r"\b(authorization|cookie):.*", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without user info, queries, keys of RTMP, values of secret names, and the given `secrets`."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SECRET_CHARS_MIN:
            text = text.replace(secret, HIDDEN)
    text = _ADDRESS.sub(_without_secrets, text)
    text = _NAMED.sub(rf"\1={HIDDEN}", text)
    return _HEADER.sub(rf"\1: {HIDDEN}", text)


def _without_secrets(address: re.Match[str]) -> str:
    scheme, rest = address[1], address[2]
    place, mark, _ = rest.partition("?")
    query = mark + HIDDEN if mark else ""
    authority, slash, path = place.partition("/")
    host = f"{HIDDEN}@{authority.rpartition('@')[2]}" if "@" in authority else authority
    if scheme.lower().startswith("rtmp") and "/" in path:
        # rtmp://host/application/key: the key is all that a sender needs to publish.
        path = path.partition("/")[0] + "/" + HIDDEN
    return f"{scheme}://{host}{slash}{path}{query}"
