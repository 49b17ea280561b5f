"""Texts of a form: how they must look, and in which words whoever sends another is told so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from chalicelib.domain import ids
from chalicelib.domain.money.usage import DAY, is_day
from chalicelib.domain.streams.media_paths import MEDIA_PATH, MEDIA_PATH_WORDS, PATH_CHARS_MAX, length_fault

DAY_WORDS = "is no day: write one that exists, from 2000-01-01 to 2099-12-31, as YYYY-MM-DD"


@dataclass(frozen=True)
class Form:
    """Annotates a text that must have a pattern as a whole. People read the words, machines the pattern."""

    pattern: re.Pattern[str]
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        """What pydantic checks."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        """What the OpenAPI document says."""
        return {**handler(schema), "pattern": f"^(?:{self.pattern.pattern})$", "description": self.words}

    def _checked(self, value: str) -> str:
        if not self.pattern.fullmatch(value):
            raise PydanticCustomError("form", "{words}", {"words": self.words})
        return value


def _a_day(value: str) -> str:
    if not is_day(value):
        raise ValueError(DAY_WORDS)
    return value


def _short_enough(value: str) -> str:
    if fault := length_fault(value):
        raise ValueError(fault)
    return value


StreamId = Annotated[
    str,
    Form(
        ids.STREAM_ID,
        "may have lower-case letters, digits and - only, 1 to 63 of them, and begins with a letter or a digit",
    ),
]
SessionId = Annotated[
    str,
    Form(ids.SESSION_ID, "is no session's id: that is 26 lower-case letters and digits, as a start answers it"),
]
UserId = Annotated[
    str,
    Form(ids.USER_ID, "is no user's id: that is u_ and 20 lower-case letters and digits, as a login answers it"),
]
PaymentId = Annotated[str, Form(ids.PAYMENT_ID, "may have letters, digits and _ : - only, 1 to 64 of them")]
IdempotencyKey = Annotated[str, Form(ids.IDEMPOTENCY_KEY, "may have letters, digits and _ - only, 16 to 64 of them")]
Day = Annotated[
    str,
    AfterValidator(_a_day),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{DAY.pattern})$", "description": "a day of UTC"}),
]
# Library validators refuse `demo@local`, which is an address on this machine.
Email = Annotated[
    str,
    Form(
        re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}"),
        "is no email address: one is like name@example.org, without spaces, 64 characters at most before the @",
    ),
]
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120),
    # Joiners, combining marks and marks of direction are a part of words; what turns the text after a title is not.
    Form(
        re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+"),
        "may have no control characters, such as line breaks, and no embeddings, overrides or isolates of the direction"
        " of text (U+202A to U+202E, U+2066 to U+2069)",
    ),
]
# Relative, inside the media directory; the worker checks again what it really points to.
MediaPath = Annotated[
    str,
    StringConstraints(max_length=PATH_CHARS_MAX),
    Form(MEDIA_PATH, MEDIA_PATH_WORDS),
    AfterValidator(_short_enough),
]
