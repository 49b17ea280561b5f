"""Blocks of viewers."""

from __future__ import annotations

from chalicelib.api.models.common import Answer, ListQuery
from chalicelib.api.models.forms import StreamId, UserId


class BlockAnswer(Answer):
    """A block: the user starts no session on the stream (null: on any) before `until_ms`.

    `session_id` is the session whose kick made it, `by_user_id` who did it.
    """

    block_id: str
    user_id: str
    stream_id: str | None
    until_ms: int
    created_at_ms: int
    by_user_id: str
    session_id: str
    reason: str
    message: str | None


class BlocksQuery(ListQuery):
    """Filter of blocks. `stream_id` leaves out those on all streams; with `user_id` there is one page."""

    user_id: UserId | None = None
    stream_id: StreamId | None = None
