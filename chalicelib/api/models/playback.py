"""Playback: starts, heartbeats, ends, and sessions for operators."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, computed_field, model_validator

from chalicelib.api.models.blocks import BlockAnswer
from chalicelib.api.models.common import Answer, Request, TimeRangeQuery
from chalicelib.api.models.forms import IdempotencyKey, OneLine, SessionId, StreamId, UserId
from chalicelib.domain.access.blocks import BLOCK_MINUTES_MAX
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import is_canary
from chalicelib.domain.money.lease import Outcome
from chalicelib.domain.money.points import MILLIPOINTS_MAX, MILLIPOINTS_PER_POINT
from chalicelib.domain.money.reconciliation import SessionReconciliation
from chalicelib.domain.money.sessions import SessionKind

SEQ_MAX = 1_000_000_000


class StartRequest(Request):
    """Watch a stream. The session spends at most `max_points` whole points.

    A repeated `idempotency_key` returns the session that it opened and buys nothing.
    """

    stream_id: StreamId
    replace: bool = False
    max_points: int | None = Field(default=None, ge=1, le=MILLIPOINTS_MAX // MILLIPOINTS_PER_POINT)
    idempotency_key: IdempotencyKey | None = None


class SessionRequest(Request):
    """A session of the caller."""

    session_id: SessionId


class HeartbeatRequest(SessionRequest):
    """Buy the next lease. The start was seq 1."""

    seq: int = Field(ge=1, le=SEQ_MAX)


class KickRequest(SessionRequest):
    """End any session. The reason goes into the audit log, the message to the viewer.

    With `block_minutes`, the viewer starts no session for so long: on any stream, or with `block_stream` on that of the
    session.
    """

    reason: str = Field(default="", max_length=200)
    message: OneLine | None = None
    block_minutes: int | None = Field(default=None, ge=1, le=BLOCK_MINUTES_MAX)
    block_stream: bool = False

    @model_validator(mode="after")
    def _stream_is_of_a_block(self) -> KickRequest:
        if self.block_stream and self.block_minutes is None:
            raise ValueError("block_stream needs block_minutes")
        return self


class PlaybackAnswer(Answer):
    """A session's money and time. `seconds_left` is null for free streams.

    `seconds_left` counts the wallet's other sessions that spend points; `others_spending` is their number.
    `final` says that balance, daily cap or `max_points` allow no lease after this one; `seconds_left` is then the
    paid time. More points make the next answer not final. `top_up_url` is where the viewer buys points, null if the
    stage has no such page.
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
    final: bool
    top_up_url: str | None
    others_spending: int
    charged_millipoints: int
    outcome: Outcome


class StartAnswer(PlaybackAnswer):
    """An opened session. `live_start_index` is the first segment to play, counted from the playlist's end."""

    live_start_index: int


class EndAnswer(Answer):
    """How a session ended. `charged_millipoints` is its cost after the refund.

    Of that, up to `reserved_millipoints` come back in the settlement if they were not fetched (null: no settlement).
    `message` is an operator's to the viewer, at a kick.
    """

    session_id: str
    end_reason: EndReason
    charged_millipoints: int
    refunded_millipoints: int
    reserved_millipoints: int | None
    balance_millipoints: int
    watched_ms: int
    message: str | None


class KickAnswer(EndAnswer):
    """The same, and the block that the kick made."""

    block: BlockAnswer | None


class Settled(Answer):
    """The settlement of an ended session, null before. `settled_ms` were served ahead, or (negative) not served.

    `settled_millipoints` is signed like a ledger's delta, and includes what became debt.
    """

    reserved_millipoints: int | None
    settled_at_ms: int | None
    settled_ms: int | None
    settled_millipoints: int | None
    settled_debt_millipoints: int | None


class SessionAnswer(Settled):
    """A session for the staff. What is unknown is null: live fields after its end, address and user agent once expired.

    `charged_millipoints` is what it cost so far, `refunded_millipoints` what its end gave back, `media_ms` the media
    served for it. The next five are what the gateways' logs, which arrive some 15 s late, say of the last minute;
    `is_fetching` is false once no segment came for 15 s. `cut_off_ms` is how long an early end was still served; until
    `cut_off_measured` is true, that is not known.
    Both are null if the session did not end early.
    """

    session_id: str
    user_id: str
    email: str | None
    stream_id: str
    stream_title: str | None
    kind: SessionKind
    active: bool
    started_at_ms: int
    ip: str | None
    user_agent: str | None
    rate_millipoints_per_minute: int
    charged_millipoints: int | None
    refunded_millipoints: int | None
    balance_millipoints: int | None
    seconds_left: int | None
    paid_until_ms: int | None
    media_ms: int | None
    rendition: str | None
    bytes_last_minute: int | None
    bitrate_bps: int | None
    last_fetch_at_ms: int | None
    is_fetching: bool | None
    ended_at_ms: int | None
    end_reason: EndReason | None
    message: str | None
    watched_ms: int | None
    cut_off_ms: int | None
    cut_off_measured: bool | None

    @computed_field(description="of a synthetic viewer, whom business figures leave out")  # type: ignore[prop-decorator]
    @property
    def is_canary(self) -> bool:
        """Whether business figures leave the session out."""
        return is_canary(self.user_id)


class SessionDetailAnswer(SessionAnswer):
    """One session for the staff. A further adjustment may be from `adjust_millipoints_min` to `…_max`.

    Both are null while the session is active, and `reconciliation` is until it is first reconciled.
    """

    lease_ms: int
    granted_ms: int | None
    adjusted_millipoints: int
    debt_payment_millipoints: int
    adjust_millipoints_min: int | None
    adjust_millipoints_max: int | None
    reconciliation: SessionReconciliation | None


class SessionsQuery(TimeRangeQuery):
    """Filter of sessions. `from_ms` and `to_ms` bound the time by which the list is ordered.

    That is the end for `state=ended` without a stream and a user, else the start.
    """

    stream_id: StreamId | None = None
    user_id: UserId | None = None
    state: Literal["active", "ended"] = "active"
    end_reason: EndReason | None = None

    @model_validator(mode="after")
    def _reason_of_an_end(self) -> SessionsQuery:
        if self.end_reason is not None and self.state == "active":
            raise ValueError("end_reason needs state=ended: active sessions have none")
        return self


class OwnSessionAnswer(Settled):
    """A session of the caller. `media_ms` and `media_bytes` are null in lists, `message` is an operator's at a kick."""

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
    message: str | None
    watched_ms: int | None
    granted_ms: int | None
    media_ms: int | None = None
    media_bytes: int | None = None
