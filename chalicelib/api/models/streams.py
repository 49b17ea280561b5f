"""Streams and their runtime."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import MediaPath, StreamId, Title
from chalicelib.domain.lease import LEASE_MS_DEFAULT, LEASE_MS_MAX, LEASE_MS_MIN
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

Rate = Annotated[int, Field(ge=0, le=1_000_000_000)]
LeaseMs = Annotated[int, Field(ge=LEASE_MS_MIN, le=LEASE_MS_MAX)]
SegmentSeconds = Annotated[int, Field(ge=SEGMENT_SECONDS_MIN, le=SEGMENT_SECONDS_MAX)]
WindowMinutes = Annotated[int, Field(ge=WINDOW_MINUTES_MIN, le=WINDOW_MINUTES_MAX)]


def _known_profile(name: str) -> str:
    if name not in ABR_PROFILES:
        raise ValueError(f"allowed: {', '.join(sorted(ABR_PROFILES))}")
    return name


ViewersMax = Annotated[
    int,
    Field(ge=0, le=1_000_000, description="0: no limit. Counts the sessions that start while there is one."),
]
AbrProfile = Annotated[str, AfterValidator(_known_profile), Field(json_schema_extra={"enum": sorted(ABR_PROFILES)})]


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
    viewers_max: ViewersMax = 0


class CreateStreamRequest(StreamFields):
    """A new stream."""

    stream_id: StreamId | None = None
    title: Title
    ingest: IngestModel


class EditStreamRequest(Request):
    """What to change of a stream; what is left out stays."""

    title: Title | None = None
    ingest: IngestModel | None = None
    abr_profile: AbrProfile | None = None
    segment_seconds: SegmentSeconds | None = None
    window_minutes: WindowMinutes | None = None
    rate_millipoints_per_minute: Rate | None = None
    lease_ms: LeaseMs | None = None
    viewers_max: ViewersMax | None = None


class StateRequest(Request):
    """The desired state."""

    state: DesiredState


class RenditionAnswer(Answer):
    """One quality that can be watched; `bitrate_bps` is the most that it needs."""

    name: str
    width: int
    height: int
    bitrate_bps: int


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
    viewers_max: int
    renditions: list[RenditionAnswer]


class StreamSettingsAnswer(StreamAnswer):
    """A stream as its operator sees it."""

    ingest: IngestModel
    generation: int
    version: int
    created_at_ms: int


class OutageAnswer(Answer):
    """A time without a picture; `until_ms` null while it lasts. Nobody pays for it."""

    since_ms: int
    until_ms: int | None


class RuntimeAnswer(Answer):
    """What the worker reports; null where it has not told yet. `outages` are the newest, oldest first."""

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
    outages: list[OutageAnswer]
