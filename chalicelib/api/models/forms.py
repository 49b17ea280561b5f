"""Text formats of requests: their patterns, and the error messages for other texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from chalicelib.domain import ids
from chalicelib.domain.accounts.users import EMAIL, EMAIL_WORDS
from chalicelib.domain.money.usage import DAY, is_day
from chalicelib.domain.operations.audit import KEY_ACTOR
from chalicelib.domain.streams.media_paths import MEDIA_PATH, MEDIA_PATH_WORDS, PATH_CHARS_MAX, length_fault

PAYMENT_ID_WORDS = "must have 1 to 64 letters, digits and _ : -"
DAY_WORDS = "is not a date; allowed: YYYY-MM-DD from 2000-01-01 to 2099-12-31"


@dataclass(frozen=True)
class Form:
    """Annotation of a text that must match a pattern as a whole. `words` is the error message."""

    pattern: re.Pattern[str]
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Return the check for pydantic."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        """Return the pattern for the OpenAPI document."""
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
        "must have 1 to 63 lower-case letters, digits and -, and begin with a letter or a digit",
    ),
]
SessionId = Annotated[
    str,
    Form(ids.SESSION_ID, "is not a session id; allowed: 26 lower-case letters and digits, as returned by a start"),
]
UserId = Annotated[
    str,
    Form(ids.USER_ID, "is not a user id; allowed: u_ and 20 lower-case letters and digits, as returned by a login"),
]
PaymentId = Annotated[str, Form(ids.PAYMENT_ID, PAYMENT_ID_WORDS)]
ActorId = Annotated[
    str,
    Form(
        re.compile(rf"{ids.USER_ID.pattern}|{KEY_ACTOR}{ids.KEY_ID.pattern}"),
        f"is neither a user id nor a service key; allowed: u_ and 20 lower-case letters and digits,"
        f" or {KEY_ACTOR} and the 16 of a key's id",
    ),
]
# A name in lists, logs and terminals.
Label = Annotated[
    str,
    Form(
        re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@/-]{0,63}"),
        "must have 1 to 64 letters, digits, spaces and . _ : @ / -, and begin with a letter or a digit",
    ),
]
IdempotencyKey = Annotated[str, Form(ids.IDEMPOTENCY_KEY, "must have 16 to 64 letters, digits and _ -")]
Day = Annotated[
    str,
    AfterValidator(_a_day),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{DAY.pattern})$", "description": "a UTC day"}),
]
Email = Annotated[str, Form(EMAIL, EMAIL_WORDS)]
# Joiners, combining marks and direction marks are part of words. Overrides would reverse the text after a title.
CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
NO_CONTROLS = (
    "must not have control characters, such as line breaks, or embeddings, overrides and isolates of text direction"
    " (U+202A to U+202E, U+2066 to U+2069)"
)
Title = Annotated[
    str, StringConstraints(min_length=1, max_length=120), Form(re.compile(rf"[^{CONTROLS}]+"), NO_CONTROLS)
]
# A line of plain text to a viewer.
OneLine = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    Form(re.compile(rf"[^{CONTROLS}]*[^{CONTROLS}\s][^{CONTROLS}]*"), f"must not be blank, and {NO_CONTROLS}"),
]
# Relative to the media directory. The worker checks where it really points.
MediaPath = Annotated[
    str,
    StringConstraints(max_length=PATH_CHARS_MAX),
    Form(MEDIA_PATH, MEDIA_PATH_WORDS),
    AfterValidator(_short_enough),
]
