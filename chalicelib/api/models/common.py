"""What all wire models share: strict requests, answers and lists.

Answers contain dataclasses of domain and services where clients may see all their fields. The fields of these classes
are part of the wire format.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chalicelib.domain.money.lists import TIME_MS_MAX

LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX = 50, 200


Item = TypeVar("Item")


class Request(BaseModel):
    """A request. Unknown fields are rejected, and types are not converted."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A response of the API."""

    model_config = ConfigDict(from_attributes=True)


class ListAnswer(Answer, Generic[Item]):
    """A page of a list. Repeat the request with `next_cursor` until it is null."""

    items: list[Item]
    next_cursor: str | None


class ListQuery(Request):
    """The page of a list."""

    limit: int = Field(default=LIST_LIMIT_DEFAULT, ge=1, le=LIST_LIMIT_MAX)
    cursor: str | None = Field(default=None, min_length=1, max_length=1000)


class TimeRangeQuery(ListQuery):
    """The page of a list within a time. `from_ms` is included, `to_ms` is not."""

    from_ms: int | None = Field(default=None, ge=0, le=TIME_MS_MAX)
    to_ms: int | None = Field(default=None, ge=1, le=TIME_MS_MAX)

    @model_validator(mode="after")
    def _in_order(self) -> TimeRangeQuery:
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise ValueError("from_ms must be less than to_ms")
        return self
