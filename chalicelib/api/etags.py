"""Entity tags of answers (RFC 9110, 8.8.3), and their comparison with `If-None-Match`."""

import re
from hashlib import sha256

from pydantic import BaseModel

DIGEST_CHARS = 24
# The quoted part of a tag. A gateway that compresses an answer makes its tag weak.
_OPAQUE = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


def etag_of(answer: BaseModel) -> str:
    """Return the tag of an answer: a digest of its JSON, after the `version` of what it shows if that is a number.

    Answers of one version may differ, since some fields are derived: `"7.d0c1…"`, or `"d0c1…"` without a version.
    """
    digest = sha256(answer.model_dump_json().encode()).hexdigest()[:DIGEST_CHARS]
    version = getattr(answer, "version", None)
    return f'"{version}.{digest}"' if type(version) is int else f'"{digest}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Return whether the header `If-None-Match` names this tag, by weak comparison. `*` names every tag."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _OPAQUE.findall(if_none_match)
