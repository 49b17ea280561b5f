"""What really happens with a stream, as its worker reports it."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.streams.media_health import IngestIssue, Repairs, SourceTrack


class RuntimeState(StrEnum):
    """What really happens, reported by the worker that holds the claim."""

    STARTING = "starting"
    LIVE = "live"
    STALLED = "stalled"
    BACKOFF = "backoff"
    STOPPED = "stopped"
    FAILED = "failed"


class Waiting(StrEnum):
    """Why no worker has a stream that is wanted live."""

    NO_WORKER = "no_worker"
    NO_CAPACITY = "no_capacity"


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
