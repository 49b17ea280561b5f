"""Streams: what the operator asked for, and what really happens."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.lease import LEASE_MS_DEFAULT
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


class IngestMode(StrEnum):
    """Where the picture comes from: a looped file of the media directory, or a test pattern with a tone."""

    FILE = "file"
    TEST = "test"


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """A source. `path` is relative to the media directory and only given for `file`."""

    mode: IngestMode
    path: str | None = None


# MPEG-TS adds its own headers to what the encoders were allowed.
CONTAINER_OVERHEAD = 1.08


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """One quality of a ladder. Sizes are even pixels, bitrates bits a second."""

    name: str
    width: int
    height: int
    video_bps: int
    audio_bps: int

    @property
    def bitrate_bps(self) -> int:
        """The most that it needs, with the headers of its container."""
        return int((self.video_bps + self.audio_bps) * CONTAINER_OVERHEAD)


ABR_PROFILES: dict[str, tuple[Rendition, ...]] = {
    "sd": (Rendition(name="480p", width=854, height=480, video_bps=1_200_000, audio_bps=96_000),),
    "hd": (
        Rendition(name="720p", width=1280, height=720, video_bps=2_800_000, audio_bps=128_000),
        Rendition(name="480p", width=854, height=480, video_bps=1_200_000, audio_bps=96_000),
    ),
}

SEGMENT_SECONDS_MIN, SEGMENT_SECONDS_MAX = 1, 10
WINDOW_MINUTES_MIN, WINDOW_MINUTES_MAX = 1, 720


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream as the operator set it up. `generation` rises with every change that needs a new ffmpeg.

    `viewers_max` 0 is no limit; it counts the sessions that start while there is one.
    """

    stream_id: str
    title: str
    ingest: Ingest
    abr_profile: str = "hd"
    segment_seconds: int = 2
    window_minutes: int = 5
    rate_millipoints_per_minute: int = 60_000
    lease_ms: int = LEASE_MS_DEFAULT
    viewers_max: int = 0
    desired_state: DesiredState = DesiredState.STOPPED
    desired_since_ms: int = 0
    generation: int = 1
    version: int = 1
    archived: bool = False
    created_at_ms: int = 0

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        """The ladder that its profile stands for."""
        return ABR_PROFILES[self.abr_profile]


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
class Runtime:
    """What a worker reports of a stream. Figures are None where ffmpeg has not told them yet.

    `down_since_ms` is there while the stream is not live; `outages` are the newest that are over, oldest first.
    """

    stream_id: str
    state: RuntimeState = RuntimeState.STOPPED
    claim: Claim | None = None
    generation: int = 0
    reported_at_ms: int = 0
    last_manifest_at_ms: int | None = None
    bitrate_bps: int | None = None
    fps: float | None = None
    speed: float | None = None
    dropped_frames: int = 0
    restarts: int = 0
    last_error: str | None = None
    down_since_ms: int | None = None
    outages: tuple[Outage, ...] = ()


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
    return RuntimeState.BACKOFF


def media_key(stream_id: str, path: str) -> str:
    """The object's key in the media bucket; `path` as in a playlist, for instance `720p/1-000042.ts`."""
    return f"streams/{stream_id}/{path}"
