"""Streams and their runtime."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import MediaPath, StreamId, Title
from chalicelib.domain.ingest import (
    BACKUPS_MAX,
    SRT_PORT_MAX,
    SRT_PORT_MIN,
    Ingest,
    IngestMode,
    ListenProtocol,
    misfit,
)
from chalicelib.domain.ladders import ABR_PROFILES, CUSTOM_PROFILE, RENDITIONS_MAX, Rendition, ladder_faults
from chalicelib.domain.lease import LEASE_MS_DEFAULT, LEASE_MS_MAX, LEASE_MS_MIN
from chalicelib.domain.stream_edits import Applies
from chalicelib.domain.streams import (
    SEGMENT_SECONDS_MAX,
    SEGMENT_SECONDS_MIN,
    WINDOW_MINUTES_MAX,
    WINDOW_MINUTES_MIN,
    DesiredState,
    Latency,
    RuntimeState,
    SessionBinding,
    Waiting,
)

SOURCE_CHARS_MAX = 1_000
PROFILE_NAMES = [*sorted(ABR_PROFILES), CUSTOM_PROFILE]
SourceAddress = Annotated[str, Field(min_length=1, max_length=SOURCE_CHARS_MAX)]
Rate = Annotated[int, Field(ge=0, le=1_000_000_000)]
LeaseMs = Annotated[int, Field(ge=LEASE_MS_MIN, le=LEASE_MS_MAX)]
SegmentSeconds = Annotated[int, Field(ge=SEGMENT_SECONDS_MIN, le=SEGMENT_SECONDS_MAX)]
WindowMinutes = Annotated[int, Field(ge=WINDOW_MINUTES_MIN, le=WINDOW_MINUTES_MAX)]


def _known_profile(name: str) -> str:
    if name not in PROFILE_NAMES:
        raise ValueError(f"allowed: {', '.join(PROFILE_NAMES)}")
    return name


ViewersMax = Annotated[
    int,
    Field(ge=0, le=1_000_000, description="0: no limit. Counts the sessions that start while there is one."),
]
AbrProfile = Annotated[str, AfterValidator(_known_profile), Field(json_schema_extra={"enum": PROFILE_NAMES})]


class IngestModel(Request):
    """A source: `pull` takes a url, `listen` a protocol (`srt` a port too), `file` a path in the media directory."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    mode: IngestMode
    url: SourceAddress | None = None
    path: MediaPath | None = None
    protocol: ListenProtocol | None = None
    port: Annotated[int, Field(ge=SRT_PORT_MIN, le=SRT_PORT_MAX)] | None = None

    @model_validator(mode="after")
    def _fits_mode(self) -> IngestModel:
        if fault := misfit(self.source()):
            raise ValueError(fault)
        return self

    def source(self) -> Ingest:
        """The same in the domain's words."""
        return Ingest(**{name: getattr(self, name) for name in type(self).model_fields})


class CustomRendition(Request):
    """One rendition of an operator's own ladder, encoded as H.264 and AAC."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: str
    width: int
    height: int
    video_bps: int
    audio_bps: int

    def rendition(self) -> Rendition:
        """The same in the domain's words."""
        return Rendition(**{name: getattr(self, name) for name in type(self).model_fields})


def _fit_ladder(renditions: list[CustomRendition]) -> list[CustomRendition]:
    # None at all is what a stream with any other profile has.
    if renditions and (faults := ladder_faults([each.rendition() for each in renditions])):
        raise ValueError("; ".join(faults))
    return renditions


Backups = Annotated[list[IngestModel], Field(max_length=BACKUPS_MAX)]
CustomRenditions = Annotated[
    list[CustomRendition],
    AfterValidator(_fit_ladder),
    Field(max_length=RENDITIONS_MAX, description="The ladder of the profile `custom`, best first; else empty."),
]


class StreamFields(Request):
    """What an operator may set; everything has a default but title and ingest."""

    backups: Backups = Field(default_factory=list)
    slate: bool = False
    abr_profile: AbrProfile = "hd"
    custom_renditions: CustomRenditions | None = None
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


class EditStreamRequest(Request):
    """What to change of a stream; what is left out stays."""

    title: Title | None = None
    ingest: IngestModel | None = None
    backups: Backups | None = None
    slate: bool | None = None
    abr_profile: AbrProfile | None = None
    custom_renditions: CustomRenditions | None = None
    latency: Latency | None = None
    segment_seconds: SegmentSeconds | None = None
    window_minutes: WindowMinutes | None = None
    rate_millipoints_per_minute: Rate | None = None
    lease_ms: LeaseMs | None = None
    viewers_max: ViewersMax | None = None
    session_binding: SessionBinding | None = None


class EditQuery(Request):
    """`dry_run=true` changes nothing, and answers what the change would do."""

    dry_run: bool = False


class StateRequest(Request):
    """The desired state."""

    state: DesiredState


class RenditionAnswer(Answer):
    """One quality that can be watched; `bitrate_bps` is the most that it needs, measured where it is being published.

    Null where the source is passed on as it is and no worker has seen it yet.
    """

    name: str
    width: int | None
    height: int | None
    bitrate_bps: int | None


class StreamAnswer(Answer):
    """A stream; `state` is what really happens, `desired_state` what the operator asked for.

    `live_start_index` is the segment that a player should begin with, counted from the end of the playlist.
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
    renditions: list[RenditionAnswer]


class RtmpAddressAnswer(Answer):
    """Where to send by RTMP: what OBS asks for as server and as stream key."""

    server: str
    stream_key: str


class SrtAddressAnswer(Answer):
    """Where to send by SRT: what OBS asks for as server of a custom service; there is no stream key."""

    url: str


class StreamSettingsAnswer(StreamAnswer):
    """A stream as its operator sees it. `ingest_address` is null where the stream does not listen for a sender."""

    ingest: IngestModel
    backups: list[IngestModel]
    slate: bool
    session_binding: SessionBinding
    ingest_key: str
    ingest_address: RtmpAddressAnswer | SrtAddressAnswer | None
    custom_renditions: list[CustomRendition]
    generation: int
    version: int
    created_at_ms: int


class EditAnswer(StreamSettingsAnswer):
    """The stream as it is now, and what the change does.

    `applies` is `none` if nothing changes, `hot` if ffmpeg goes on, `restart` if it is restarted; `viewers` are the
    active sessions that meet the restart, 1000 for so many or more. With `dry_run` that is what the change would do.
    """

    applies: Applies
    viewers: int
    dry_run: bool


class OutageAnswer(Answer):
    """A time without a picture; `until_ms` null while it lasts. Nobody pays for it."""

    since_ms: int
    until_ms: int | None


class PublishedRenditionAnswer(Answer):
    """A rendition as it was found by probing and measuring; bandwidths are of its heaviest segment and of all."""

    name: str
    width: int
    height: int
    fps: float
    codecs: str
    bandwidth_bps: int
    average_bandwidth_bps: int


class RuntimeAnswer(Answer):
    """What the worker reports; null where it has not told yet. `outages` are the newest, oldest first.

    `manifest_age_ms` is how long ago, at the time of this answer, something new was published last.
    """

    stream_id: str
    state: RuntimeState
    worker_id: str | None
    epoch: int | None
    claim_expires_at_ms: int | None
    generation: int
    reported_at_ms: int
    last_manifest_at_ms: int | None
    manifest_age_ms: int | None
    bitrate_bps: int | None
    ingest_bitrate_bps: int | None
    segments_per_minute: float | None
    fps: float | None
    speed: float | None
    dropped_frames: int
    restarts: int
    last_error: str | None
    source: str | None
    waiting: Waiting | None
    published: list[PublishedRenditionAnswer]
    outages: list[OutageAnswer]


class RunLogAnswer(Answer):
    """A run of ffmpeg: its last lines, oldest first, and how it ended; null while it runs.

    `source_lines` are those of what receives a live source. Where `run` is null, the source was not opened, or nobody
    sends to it, and `ending` says why; `ended_at_ms` is null while that lasts.
    """

    worker_id: str
    run: str | None
    source: str
    began_at_ms: int
    ended_at_ms: int | None
    ending: str | None
    lines: list[str]
    source_lines: list[str]
