"""Watching: start, beats, ends; and sessions as operators see them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from chalicelib.api.models.common import Answer, ListQuery, Request
from chalicelib.api.models.forms import IdempotencyKey, SessionId, StreamId, UserId
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Outcome
from chalicelib.domain.money.points import MILLIPOINTS_MAX, MILLIPOINTS_PER_POINT
from chalicelib.domain.money.sessions import SessionKind

SEQ_MAX = 1_000_000_000


class StartRequest(Request):
    """Watch a stream; `max_points` whole points are the most that the session spends.

    The same `idempotency_key` again answers the session that it has opened, and buys nothing.
    """

    stream_id: StreamId
    replace: bool = False
    max_points: int | None = Field(default=None, ge=1, le=MILLIPOINTS_MAX // MILLIPOINTS_PER_POINT)
    idempotency_key: IdempotencyKey | None = None


class SessionRequest(Request):
    """One's own session."""

    session_id: SessionId


class HeartbeatRequest(SessionRequest):
    """Buy the next lease; the start itself was seq 1."""

    seq: int = Field(ge=1, le=SEQ_MAX)


class KickRequest(SessionRequest):
    """End somebody's session; the reason goes into the log."""

    reason: str = Field(default="", max_length=200)


class PlaybackAnswer(Answer):
    """A session's money and time. `seconds_left` is null where watching is free.

    It counts the wallet's other sessions that are being watched for points; `others_spending` is how many those are.
    """

    session_id: str
    seq: int
    play_url: str
    play_token: str
    expires_in: int
    next_beat_in_ms: int
    lease_ms: int
    paid_until_ms: int
    balance_millipoints: int
    rate_millipoints_per_minute: int
    seconds_left: int | None
    others_spending: int
    charged_millipoints: int
    outcome: Outcome


class StartAnswer(PlaybackAnswer):
    """A session that was opened. `live_start_index`: the segment to begin with, counted from the playlist's end."""

    live_start_index: int


class EndAnswer(Answer):
    """How a session ended; `charged_millipoints` is what it cost after the refund."""

    session_id: str
    end_reason: EndReason
    charged_millipoints: int
    refunded_millipoints: int
    balance_millipoints: int
    watched_ms: int


class SessionAnswer(Answer):
    """A session for people: where from, since when, what it earned. Live figures are null once it has ended, and
    address and user agent once they are not kept any more."""

    session_id: str
    user_id: str
    stream_id: str
    kind: SessionKind
    active: bool
    started_at_ms: int
    ip: str | None
    user_agent: str | None
    rate_millipoints_per_minute: int
    charged_millipoints: int | None
    paid_until_ms: int | None
    ended_at_ms: int | None
    end_reason: EndReason | None
    watched_ms: int | None


class SessionsQuery(ListQuery):
    """Which sessions; ended ones are listed by stream or by user."""

    stream_id: StreamId | None = None
    user_id: UserId | None = None
    state: Literal["active", "ended"] = "active"

    @model_validator(mode="after")
    def _ended_is_narrowed(self) -> SessionsQuery:
        if self.state == "ended" and self.stream_id is None and self.user_id is None:
            raise ValueError("state `ended` needs a stream_id or a user_id")
        return self


class OwnSessionAnswer(Answer):
    """One of one's own sessions. What it was served is null in lists."""

    session_id: str
    stream_id: str
    kind: SessionKind
    active: bool
    started_at_ms: int
    rate_millipoints_per_minute: int
    charged_millipoints: int | None
    refunded_millipoints: int | None
    ended_at_ms: int | None
    end_reason: EndReason | None
    watched_ms: int | None
    granted_ms: int | None
    media_ms: int | None = None
    media_bytes: int | None = None
