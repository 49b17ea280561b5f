"""Blocks: a viewer starts no session on one stream, or on any, until a time."""

from dataclasses import dataclass
from datetime import UTC, datetime

# A year. Disabling the account ends it for good.
BLOCK_MINUTES_MAX = 525_600
MS_PER_MINUTE = 60_000


@dataclass(frozen=True, kw_only=True)
class Block:
    """A user's block on a stream; `stream_id` None is all streams. There is one for each user and stream at most.

    It is in force before `until_ms`. `session_id` is the session whose kick made it, `message` what the viewer got.
    """

    user_id: str
    stream_id: str | None
    until_ms: int
    created_at_ms: int
    by_user_id: str
    session_id: str
    reason: str = ""
    message: str | None = None

    @property
    def block_id(self) -> str:
        """The user id, and for a single stream a dot and the stream id."""
        return block_id_of(self.user_id, self.stream_id)

    def is_in_force(self, now_ms: int) -> bool:
        """Return whether it refuses starts now."""
        return now_ms < self.until_ms

    def covers(self, stream_id: str) -> bool:
        """Return whether it refuses starts on this stream."""
        return self.stream_id in (None, stream_id)


def block_id_of(user_id: str, stream_id: str | None) -> str:
    """Return the id of a user's block on a stream, or on all streams (None)."""
    return user_id if stream_id is None else f"{user_id}.{stream_id}"


def user_and_stream_of(block_id: str) -> tuple[str, str | None]:
    """Return what a block id is made of."""
    user_id, _, stream_id = block_id.partition(".")
    return user_id, stream_id or None


def until_words(until_ms: int) -> str:
    """Return a time for people, `2026-01-31 18:05 UTC`, rounded up to the minute."""
    minute_ms = -(-until_ms // MS_PER_MINUTE) * MS_PER_MINUTE
    return datetime.fromtimestamp(minute_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
