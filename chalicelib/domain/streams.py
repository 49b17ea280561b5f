"""Streams: what the operator asked for, and what really happens."""

import math
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest

from chalicelib.domain.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.ladders import ABR_PROFILES, CUSTOM_PROFILE, FPS_MAX_DEFAULT, Rendition
from chalicelib.domain.lease import LEASE_MS_DEFAULT
from chalicelib.domain.media_health import IngestIssue, Repairs, SourceTrack
from chalicelib.domain.playlist_size import window_fault
from chalicelib.domain.sessions import EndReason


class DesiredState(StrEnum):
    """What the operator asked of a stream."""

    LIVE = "live"
    PAUSED = "paused"
    STOPPED = "stopped"


# How sessions of a stream that is not wanted live end.
END_OF_DESIRED = {DesiredState.PAUSED: EndReason.STREAM_PAUSED, DesiredState.STOPPED: EndReason.STREAM_STOPPED}


class RuntimeState(StrEnum):
    """What really happens, reported by the worker that holds the claim."""

    STARTING = "starting"
    LIVE = "live"
    STALLED = "stalled"
    BACKOFF = "backoff"
    STOPPED = "stopped"
    FAILED = "failed"


class Latency(StrEnum):
    """How far behind the live edge players begin: `low` wants segments of one second, and stalls more easily."""

    NORMAL = "normal"
    LOW = "low"


class SessionBinding(StrEnum):
    """What becomes of a request for a session's media from another client than the first that fetched some."""

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


class Waiting(StrEnum):
    """Why no worker has a stream that is wanted live."""

    NO_WORKER = "no_worker"
    NO_CAPACITY = "no_capacity"


# Which segment a player begins with, counted from the end of the playlist. Three from the end is what players do by
# themselves, and what the standard asks for; two from it was measured to hold without stalls once playing.
LIVE_START_INDEX, LIVE_START_INDEX_LOW = -3, -2
# How far behind the end players of `normal` begin at least: a dead ffmpeg or worker is replaced within that time.
NORMAL_BEHIND_S = 8
SEGMENT_SECONDS_MIN, SEGMENT_SECONDS_MAX = 1, 10
# From which length on segments are fetched at the usual pace of a gateway, and from which on at its slowest.
PACE_USUAL_S, PACE_LONG_S = 2, 5
WINDOW_MINUTES_MIN, WINDOW_MINUTES_MAX = 1, 720
FROZEN_AFTER_S_OFF, FROZEN_AFTER_S_MIN, FROZEN_AFTER_S_MAX = 0, 10, 3_600


class Pace(StrEnum):
    """Length class of a stream's segments. `gateway/nginx/nginx.conf.template` sets how many a session may fetch."""

    SHORT = "short"
    USUAL = "usual"
    LONG = "long"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream as the operator set it up. `generation` rises with every change that needs a new ffmpeg.

    `backups` are tried in their order while `ingest` does not work; with `slate` a still picture stands in when none
    does. A source whose picture is frozen for longer than `frozen_after_s`, with silence, counts as failed; 0 is off.
    `viewers_max` 0 is no limit; it counts the sessions that start while there is one. `ingest_key` is what a sender
    must know where the stream listens.
    """

    stream_id: str
    title: str
    ingest: Ingest
    backups: tuple[Ingest, ...] = ()
    slate: bool = False
    frozen_after_s: int = FROZEN_AFTER_S_OFF
    ingest_key: str = ""
    abr_profile: str = "hd"
    # The ladder of the profile `custom`, empty with every other.
    custom_renditions: tuple[Rendition, ...] = ()
    # How many pictures a second its renditions have at most; only the profile `custom` has another than the usual.
    fps_max: int = FPS_MAX_DEFAULT
    latency: Latency = Latency.NORMAL
    segment_seconds: int = 2
    window_minutes: int = 5
    rate_millipoints_per_minute: int = 60_000
    lease_ms: int = LEASE_MS_DEFAULT
    viewers_max: int = 0
    session_binding: SessionBinding = SessionBinding.OFF
    desired_state: DesiredState = DesiredState.STOPPED
    desired_since_ms: int = 0
    generation: int = 1
    version: int = 1
    archived: bool = False
    created_at_ms: int = 0

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        """The ladder that its profile stands for."""
        return self.custom_renditions if self.abr_profile == CUSTOM_PROFILE else ABR_PROFILES[self.abr_profile]

    @property
    def pace(self) -> Pace:
        """How fast a gateway hands its segments out. Copied ones may be short whatever their length is to be."""
        if any(rendition.copied for rendition in self.renditions) or self.segment_seconds < PACE_USUAL_S:
            return Pace.SHORT
        return Pace.USUAL if self.segment_seconds < PACE_LONG_S else Pace.LONG

    @property
    def live_start_index(self) -> int:
        """Which segment a player begins with, counted from the end of the playlist."""
        if self.latency is Latency.LOW:
            return LIVE_START_INDEX_LOW
        return min(LIVE_START_INDEX, -math.ceil(NORMAL_BEHIND_S / self.segment_seconds))

    @property
    def sources(self) -> tuple[Ingest, ...]:
        """All sources, in the order in which they are preferred."""
        return (self.ingest, *self.backups)

    @property
    def listening(self) -> Ingest | None:
        """The source that waits for a sender; there is one at most."""
        return next((source for source in self.sources if source.mode is IngestMode.LISTEN), None)

    @property
    def srt_port(self) -> int | None:
        """The port that it listens at for SRT, which no other stream may have meanwhile; None once it is archived."""
        return None if self.archived or self.listening is None else self.listening.port


def takes_rtmp(stream: Stream | None, key: str) -> bool:
    """Whether who knows this key may send the stream by RTMP, or play what is sent."""
    if stream is None or stream.archived or stream.listening is None or not stream.ingest_key:
        return False
    same_key = compare_digest(stream.ingest_key.encode(), key.encode())
    return same_key and stream.listening.protocol is ListenProtocol.RTMP


def stream_faults(stream: Stream) -> list[str]:
    """What in an operator's settings does not go together, in words that say what is allowed."""
    faults = []
    if (stream.abr_profile == CUSTOM_PROFILE) != bool(stream.custom_renditions):
        faults.append(
            f"custom_renditions belong to the profile `{CUSTOM_PROFILE}`, which needs them, "
            "and to no other, which has [] there"
        )
    if stream.abr_profile != CUSTOM_PROFILE and stream.fps_max != FPS_MAX_DEFAULT:
        faults.append(
            f"fps_max {stream.fps_max} belongs to the profile `{CUSTOM_PROFILE}`; "
            f"with every other profile fps_max is {FPS_MAX_DEFAULT}"
        )
    copies = any(rendition.copied for rendition in stream.renditions)
    if copies and any(source.mode is IngestMode.TEST for source in stream.sources):
        faults.append("the profile `source` copies, and mode `test` has nothing to copy")
    if copies and stream.frozen_after_s:
        faults.append("frozen_after_s needs a profile that encodes: the profile `source` looks into no picture")
    if sum(source.mode is IngestMode.LISTEN for source in stream.sources) > 1:
        faults.append("one source of a stream may listen, since its key and address are the stream's")
    if stream.latency is Latency.LOW and stream.segment_seconds != SEGMENT_SECONDS_MIN:
        faults.append(f"low latency needs segment_seconds {SEGMENT_SECONDS_MIN}")
    if fault := window_fault(stream.window_minutes, stream.segment_seconds, copied=copies):
        faults.append(fault)
    return faults


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One worker's right to run one stream, until it expires or a higher epoch is claimed."""

    stream_id: str
    worker_id: str
    epoch: int
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time in which a stream did not reach its viewers, `until_ms` None while it lasts. Its beginning is its name."""

    since_ms: int
    until_ms: int | None


@dataclass(frozen=True, kw_only=True)
class PublishedRendition:
    """A rendition as it was found to be, by probing and measuring what was published. Bandwidths are bits a second:
    of the heaviest segment of the window, and of all of them together."""

    name: str
    width: int
    height: int
    fps: float
    codecs: str
    bandwidth_bps: int
    average_bandwidth_bps: int


# What a worker plays when no source works.
SLATE = "slate"


def source_name(index: int) -> str:
    """A source by its place in `Stream.sources`, as the runtime tells it."""
    return "primary" if index == 0 else f"backup-{index}"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a worker reports of a stream. Figures are None where ffmpeg has not told them yet.

    `bitrate_bps` is of the best rendition, `ingest_bitrate_bps` of what comes in (None where that cannot be told).
    `source` says what is played: `primary`, `backup-1` and on, or `slate`. `waiting` is why no worker has it.
    `down_since_ms` is there while the stream is not live; `outages` are the newest that are over, oldest first.
    `tracks` are what the played source offers, `repairs` what the present run repaired, `issues` what goes on to be
    wrong: `TRACKS_MAX` tracks at most, and one issue a code.
    """

    stream_id: str
    state: RuntimeState = RuntimeState.STOPPED
    claim: Claim | None = None
    generation: int = 0
    reported_at_ms: int = 0
    last_manifest_at_ms: int | None = None
    bitrate_bps: int | None = None
    ingest_bitrate_bps: int | None = None
    segments_per_minute: float | None = None
    fps: float | None = None
    speed: float | None = None
    dropped_frames: int = 0
    restarts: int = 0
    last_error: str | None = None
    source: str | None = None
    waiting: Waiting | None = None
    published: tuple[PublishedRendition, ...] = ()
    down_since_ms: int | None = None
    outages: tuple[Outage, ...] = ()
    tracks: tuple[SourceTrack, ...] = ()
    repairs: Repairs | None = None
    issues: tuple[IngestIssue, ...] = ()


def is_delivered(runtime: Runtime | None, now_ms: int) -> bool:
    """Whether the stream reaches viewers: its worker says live, and its claim has not expired."""
    return (
        runtime is not None
        and runtime.state is RuntimeState.LIVE
        and runtime.claim is not None
        and runtime.claim.expires_at_ms > now_ms
    )


def effective_state(runtime: Runtime, now_ms: int) -> RuntimeState:
    """The state for people: what a worker last reported counts only while it holds its claim."""
    claimed = runtime.claim is not None and runtime.claim.expires_at_ms > now_ms
    if claimed or runtime.state in (RuntimeState.STOPPED, RuntimeState.FAILED):
        return runtime.state
    if runtime.claim is None and runtime.state is RuntimeState.STARTING:
        # It was just put live, and a worker is about to take it.
        return runtime.state
    return RuntimeState.BACKOFF


def media_key(stream_id: str, path: str) -> str:
    """The object's key in the media bucket; `path` as in a playlist, for instance `720p/1-000042.ts`."""
    return f"streams/{stream_id}/{path}"
