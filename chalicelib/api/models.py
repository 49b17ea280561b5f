"""The wire models: what goes over HTTP, with its bounds. Amounts are integer millipoints, times server milliseconds."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chalicelib.domain import ids
from chalicelib.domain.lease import LEASE_MS_DEFAULT, LEASE_MS_MAX, LEASE_MS_MIN, Outcome
from chalicelib.domain.points import MILLIPOINTS_MAX, MILLIPOINTS_PER_POINT
from chalicelib.domain.sessions import EndReason, SessionKind
from chalicelib.domain.streams import (
    ABR_PROFILES,
    SEGMENT_SECONDS_MAX,
    SEGMENT_SECONDS_MIN,
    WINDOW_MINUTES_MAX,
    WINDOW_MINUTES_MIN,
    DesiredState,
    IngestMode,
    RuntimeState,
)
from chalicelib.domain.users import Role
from chalicelib.domain.wallets import EntryKind

SEQ_MAX = 1_000_000_000
LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX = 50, 200


def _form(pattern: str) -> str:
    return f"^(?:{pattern})$"


# Library validators refuse `demo@local`, which is an address on this machine.
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}$")]
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
NewPassword = Annotated[str, StringConstraints(min_length=8, max_length=200)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
StreamId = Annotated[str, StringConstraints(pattern=_form(ids.STREAM_ID.pattern))]
SessionId = Annotated[str, StringConstraints(pattern=_form(ids.SESSION_ID.pattern))]
UserId = Annotated[str, StringConstraints(pattern=_form(ids.USER_ID.pattern))]
PaymentId = Annotated[str, StringConstraints(pattern=_form(ids.PAYMENT_ID.pattern))]
Title = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
# Relative, inside the media directory; the worker checks again what it really points to.
MediaPath = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]*(/[A-Za-z0-9_][A-Za-z0-9_. -]*)*$")
]
Rate = Annotated[int, Field(ge=0, le=1_000_000_000)]
LeaseMs = Annotated[int, Field(ge=LEASE_MS_MIN, le=LEASE_MS_MAX)]
SegmentSeconds = Annotated[int, Field(ge=SEGMENT_SECONDS_MIN, le=SEGMENT_SECONDS_MAX)]
WindowMinutes = Annotated[int, Field(ge=WINDOW_MINUTES_MIN, le=WINDOW_MINUTES_MAX)]
AbrProfile = Annotated[str, Field(json_schema_extra={"enum": sorted(ABR_PROFILES)})]
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


class LoginRequest(Request):
    """Email and password."""

    email: Email
    password: Password


class RefreshRequest(Request):
    """A refresh token."""

    refresh_token: Token


class UserAnswer(Answer):
    """An account."""

    user_id: str
    email: str
    role: Role
    disabled: bool
    created_at_ms: int


class LoginAnswer(Answer):
    """Tokens; `expires_in` is the access token's, in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user: UserAnswer


class CreateUserRequest(Request):
    """A new account."""

    email: Email
    password: NewPassword
    role: Role = Role.VIEWER


class EditUserRequest(Request):
    """What to change of an account."""

    password: NewPassword | None = None
    role: Role | None = None
    disabled: bool | None = None


class IngestModel(Request):
    """A source: `file` takes a path in the media directory, `test` nothing."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    mode: IngestMode
    path: MediaPath | None = None

    @model_validator(mode="after")
    def _path_fits_mode(self) -> IngestModel:
        if (self.mode is IngestMode.FILE) != (self.path is not None):
            raise ValueError("mode `file` needs a path, mode `test` takes none")
        return self


class StreamFields(Request):
    """What an operator may set; everything has a default but title and ingest."""

    abr_profile: AbrProfile = "hd"
    segment_seconds: SegmentSeconds = 2
    window_minutes: WindowMinutes = 5
    rate_millipoints_per_minute: Rate = 60_000
    lease_ms: LeaseMs = LEASE_MS_DEFAULT


class CreateStreamRequest(StreamFields):
    """A new stream."""

    stream_id: StreamId | None = None
    title: Title
    ingest: IngestModel

    @model_validator(mode="after")
    def _profile_exists(self) -> CreateStreamRequest:
        _check_profile(self.abr_profile)
        return self


class EditStreamRequest(Request):
    """What to change of a stream; what is left out stays."""

    title: Title | None = None
    ingest: IngestModel | None = None
    abr_profile: AbrProfile | None = None
    segment_seconds: SegmentSeconds | None = None
    window_minutes: WindowMinutes | None = None
    rate_millipoints_per_minute: Rate | None = None
    lease_ms: LeaseMs | None = None

    @model_validator(mode="after")
    def _profile_exists(self) -> EditStreamRequest:
        if self.abr_profile is not None:
            _check_profile(self.abr_profile)
        return self


def _check_profile(name: str) -> None:
    if name not in ABR_PROFILES:
        raise ValueError(f"abr_profile is {name!r}; allowed: {', '.join(sorted(ABR_PROFILES))}")


class StateRequest(Request):
    """The desired state."""

    state: DesiredState


class StreamAnswer(Answer):
    """A stream; `state` is what really happens, `desired_state` what the operator asked for."""

    stream_id: str
    title: str
    rate_millipoints_per_minute: int
    lease_ms: int
    state: RuntimeState
    desired_state: DesiredState
    abr_profile: str
    segment_seconds: int
    window_minutes: int


class StreamSettingsAnswer(StreamAnswer):
    """A stream as its operator sees it."""

    ingest: IngestModel
    generation: int
    version: int
    created_at_ms: int


class RuntimeAnswer(Answer):
    """What the worker reports; null where it has not told yet."""

    stream_id: str
    state: RuntimeState
    worker_id: str | None
    epoch: int | None
    claim_expires_at_ms: int | None
    generation: int
    reported_at_ms: int
    last_manifest_at_ms: int | None
    bitrate_bps: int | None
    fps: float | None
    speed: float | None
    dropped_frames: int
    restarts: int
    last_error: str | None


class StartRequest(Request):
    """Watch a stream; `max_points` whole points are the most that the session spends."""

    stream_id: StreamId
    replace: bool = False
    max_points: int | None = Field(default=None, ge=1, le=MILLIPOINTS_MAX // MILLIPOINTS_PER_POINT)


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
    """A session's money and time. `seconds_left` is null where watching is free."""

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
    charged_millipoints: int
    outcome: Outcome


class EndAnswer(Answer):
    """How a session ended; `charged_millipoints` is what it cost after the refund."""

    session_id: str
    end_reason: EndReason
    charged_millipoints: int
    refunded_millipoints: int
    balance_millipoints: int
    watched_ms: int


class WalletSession(Answer):
    """An active session in a wallet."""

    session_id: str
    stream_id: str
    kind: SessionKind
    started_at_ms: int
    rate_millipoints_per_minute: int
    paid_until_ms: int
    charged_millipoints: int
    seq: int


class WalletAnswer(Answer):
    """A wallet as it stands."""

    user_id: str
    balance_millipoints: int
    version: int
    sessions: list[WalletSession]


class LedgerItem(Answer):
    """One change of a wallet; versions have no gaps."""

    version: int
    delta_millipoints: int
    kind: EntryKind
    at_ms: int
    session_id: str | None
    seq: int | None
    payment_id: str | None
    note: str | None


class CreditRequest(Request):
    """Add to a wallet or, negative, take from it: exactly once by its payment id."""

    millipoints: int = Field(ge=-MILLIPOINTS_MAX, le=MILLIPOINTS_MAX)
    payment_id: PaymentId
    note: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _not_zero(self) -> CreditRequest:
        if self.millipoints == 0:
            raise ValueError("millipoints must not be 0")
        return self


class SessionAnswer(Answer):
    """A session for people: where from, since when, what it earned. Live figures are null once it has ended."""

    session_id: str
    user_id: str
    stream_id: str
    kind: SessionKind
    active: bool
    started_at_ms: int
    ip: str
    user_agent: str
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
    """One of one's own sessions."""

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


class HealthAnswer(Answer):
    """Up, and what it depends on: `ok` or `failed` each."""

    status: Literal["ok", "failed"]
    version: str
    dependencies: dict[str, Literal["ok", "failed"]]


class MetricsAnswer(Answer):
    """Figures of the last `window_minutes`; counters are written every few seconds."""

    at_ms: int
    window_minutes: int
    active_sessions: int
    points_spent_per_minute: float
    login_failures: int
    playback_errors: int


class ErrorItem(Answer):
    """How often an answer of this status and code was given in the last hour."""

    status: int
    code: str
    count: int
    last_minute_ms: int


class ErrorsAnswer(Answer):
    """The last hour's refusals and failures, the most frequent first."""

    items: list[ErrorItem]
