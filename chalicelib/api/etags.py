"""Entity tags of answers (RFC 9110, 8.8.3), and their comparison with `If-None-Match` and `If-Match`."""

import re
from hashlib import sha256

from pydantic import BaseModel

from chalicelib.domain.errors import Invalid
from chalicelib.domain.versions import Expected

DIGEST_CHARS = 24
# The quoted part of a tag. A gateway that compresses an answer makes its tag weak.
_OPAQUE = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')
_TAGS = re.compile(rf"{_OPAQUE.pattern}(?:\s*,\s*{_OPAQUE.pattern})*")
_VERSION = re.compile(r'"([0-9]{1,15})(?:\.[0-9a-f]*)?"')


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


def versions_of(if_match: str | None) -> Expected:
    """Return the versions that the header `If-Match` allows; None for any: without the header, and with `*`.

    Only the version of a tag counts. The rest differs with fields that an edit does not replace, and a gateway that
    compresses answers makes tags weak. Raise `Invalid` for a header of another form.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match.strip()):
        raise Invalid.field("If-Match", 'must be *, or tags as in the header ETag of an answer, for instance "7.d0c1"')
    found = (_VERSION.fullmatch(tag) for tag in _OPAQUE.findall(if_match))
    return frozenset(int(each[1]) for each in found if each)
