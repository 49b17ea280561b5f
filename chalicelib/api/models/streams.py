"""Streams and their runtime."""

from __future__ import annotations

from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, create_model

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import StreamId, Title
from chalicelib.api.models.sources import Backups, IngestModel
from chalicelib.domain.money.lease import LEASE_MS_DEFAULT, LEASE_MS_MAX, LEASE_MS_MIN
from chalicelib.domain.streams.ladders import (
    ABR_PROFILES,
    CUSTOM_PROFILE,
    FPS_MAX_DEFAULT,
    FPS_MAX_MAX,
    FPS_MAX_MIN,
    RENDITIONS_MAX,
    Rendition,
    ladder_faults,
)
from chalicelib.domain.streams.pacing import SEGMENT_SECONDS_MAX, SEGMENT_SECONDS_MIN, Latency
from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.domain.streams.stream import (
    FROZEN_AFTER_S_MAX,
    FROZEN_AFTER_S_MIN,
    FROZEN_AFTER_S_OFF,
    WINDOW_MINUTES_MAX,
    WINDOW_MINUTES_MIN,
    DesiredState,
    SessionBinding,
)
from chalicelib.domain.streams.stream_edits import Applies
from chalicelib.services.streams.views import Quality

PROFILE_NAMES = [*sorted(ABR_PROFILES), CUSTOM_PROFILE]
Rate = Annotated[int, Field(ge=0, le=1_000_000_000)]
LeaseMs = Annotated[int, Field(ge=LEASE_MS_MIN, le=LEASE_MS_MAX)]
SegmentSeconds = Annotated[int, Field(ge=SEGMENT_SECONDS_MIN, le=SEGMENT_SECONDS_MAX)]
WindowMinutes = Annotated[int, Field(ge=WINDOW_MINUTES_MIN, le=WINDOW_MINUTES_MAX)]


def _known_profile(name: str) -> str:
    if name not in PROFILE_NAMES:
        raise ValueError(f"allowed: {', '.join(PROFILE_NAMES)}")
    return name


def _off_or_in_bounds(seconds: int) -> int:
    if seconds != FROZEN_AFTER_S_OFF and not FROZEN_AFTER_S_MIN <= seconds <= FROZEN_AFTER_S_MAX:
        raise ValueError(f"allowed: {FROZEN_AFTER_S_OFF} (off), or {FROZEN_AFTER_S_MIN} to {FROZEN_AFTER_S_MAX} s")
    return seconds


FrozenAfterS = Annotated[
    int,
    AfterValidator(_off_or_in_bounds),
    WithJsonSchema(
        {
            "type": "integer",
            "anyOf": [{"const": FROZEN_AFTER_S_OFF}, {"minimum": FROZEN_AFTER_S_MIN, "maximum": FROZEN_AFTER_S_MAX}],
            "description": "A source fails if its picture is frozen and its sound silent for longer than this. 0: off.",
        }
    ),
]
ViewersMax = Annotated[
    int,
    Field(ge=0, le=1_000_000, description="0: no limit. Only sessions that start under a limit are counted."),
]
AbrProfile = Annotated[str, AfterValidator(_known_profile), Field(json_schema_extra={"enum": PROFILE_NAMES})]


class CustomRendition(Request):
    """A rendition of a custom ladder, encoded as H.264 and AAC."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: str
    width: int
    height: int
    video_bps: int
    audio_bps: int

    def rendition(self) -> Rendition:
        """Return the rendition as the domain's `Rendition`."""
        return Rendition(**{name: getattr(self, name) for name in type(self).model_fields})


def _fit_ladder(renditions: list[CustomRendition]) -> list[CustomRendition]:
    # Streams with another profile have none.
    if renditions and (faults := ladder_faults([each.rendition() for each in renditions])):
        raise ValueError("; ".join(faults))
    return renditions


CustomRenditions = Annotated[
    list[CustomRendition],
    AfterValidator(_fit_ladder),
    Field(max_length=RENDITIONS_MAX, description="The ladder of the profile `custom`, best first; else empty."),
]

FpsMax = Annotated[
    int,
    Field(
        ge=FPS_MAX_MIN,
        le=FPS_MAX_MAX,
        description=f"The highest frame rate of the profile `{CUSTOM_PROFILE}`. "
        f"{FPS_MAX_DEFAULT} with every other profile.",
    ),
]


class StreamFields(Request):
    """Settings of a stream."""

    backups: Backups = Field(default_factory=list)
    slate: bool = False
    frozen_after_s: FrozenAfterS = FROZEN_AFTER_S_OFF
    abr_profile: AbrProfile = "hd"
    custom_renditions: CustomRenditions | None = None
    fps_max: FpsMax = FPS_MAX_DEFAULT
    latency: Latency = Latency.NORMAL
    segment_seconds: SegmentSeconds = 2
    window_minutes: WindowMinutes = 5
    rate_millipoints_per_minute: Rate = 60_000
    lease_ms: LeaseMs = LEASE_MS_DEFAULT
    viewers_max: ViewersMax = 0
    session_binding: SessionBinding = SessionBinding.OFF


class CreateStreamRequest(StreamFields):
    """A new stream."""

    stream_id: StreamId | None = None
    title: Title
    ingest: IngestModel


_CHANGES: dict[str, Any] = {
    name: (kind | None, None)
    for name, kind in get_type_hints(CreateStreamRequest, include_extras=True).items()
    if name in CreateStreamRequest.model_fields and name != "stream_id"
}
EditStreamRequest = create_model(
    "EditStreamRequest",
    __base__=Request,
    __doc__="Changes of a stream. Fields that are left out stay.",
    **_CHANGES,
)


class EditQuery(Request):
    """`dry_run=true` changes nothing and reports what the change would do."""

    dry_run: bool = False


class StateRequest(Request):
    """The desired state."""

    state: DesiredState


class StreamAnswer(Answer):
    """A stream. `desired_state` is the operator's setting, `state` what really happens.

    `live_start_index` is the first segment to play, counted from the end of the playlist.
    """

    stream_id: str
    title: str
    rate_millipoints_per_minute: int
    lease_ms: int
    state: RuntimeState
    desired_state: DesiredState
    abr_profile: str
    latency: Latency
    live_start_index: int
    segment_seconds: int
    window_minutes: int
    viewers_max: int
    renditions: list[Quality]


class RtmpAddressAnswer(Answer):
    """Where to send by RTMP: server and stream key, as in OBS."""

    server: str
    stream_key: str


class SrtAddressAnswer(Answer):
    """Where to send by SRT: the server of a custom service in OBS. There is no stream key."""

    url: str


class StreamSettingsAnswer(StreamAnswer):
    """A stream for operators. `ingest_address` is null if the stream has no listening source."""

    ingest: IngestModel
    backups: list[IngestModel]
    slate: bool
    frozen_after_s: int
    session_binding: SessionBinding
    ingest_key: str
    ingest_address: RtmpAddressAnswer | SrtAddressAnswer | None
    custom_renditions: list[CustomRendition]
    fps_max: int
    generation: int
    version: int
    created_at_ms: int


class EditAnswer(StreamSettingsAnswer):
    """The stream after the change, and what the change does.

    `applies` is `none` if nothing changes, `hot` if the encoder keeps running, `restart` if it restarts. `viewers`
    counts the active sessions that see the restart, up to 1000. With `dry_run` both describe what the change would do.
    """

    applies: Applies
    viewers: int
    dry_run: bool
