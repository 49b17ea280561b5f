"""What all wire models share: strict requests, answers and lists."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX = 50, 200


Item = TypeVar("Item")


class Request(BaseModel):
    """What a client sends: unknown fields are refused, types are not guessed."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What the API says."""

    model_config = ConfigDict(from_attributes=True)


class ListAnswer(Answer, Generic[Item]):
    """A part of a list; ask again with `next_cursor` until it is null."""

    items: list[Item]
    next_cursor: str | None


class ListQuery(Request):
    """Which part of a list."""

    limit: int = Field(default=LIST_LIMIT_DEFAULT, ge=1, le=LIST_LIMIT_MAX)
    cursor: str | None = Field(default=None, min_length=1, max_length=1000)
