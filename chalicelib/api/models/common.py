"""What all wire models share: strict requests, answers and lists.

Answers contain dataclasses of domain and services where clients may see all their fields. The fields of these classes
are part of the wire format.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

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
