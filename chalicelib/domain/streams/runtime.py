"""What really happens with a stream, as its worker reports it."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.streams.media_health import Repairs, SourceTrack


class RuntimeState(StrEnum):
    """What really happens, reported by the worker that holds the claim."""

    STARTING = "starting"
    LIVE = "live"
    STALLED = "stalled"
    BACKOFF = "backoff"
    STOPPED = "stopped"
    FAILED = "failed"


class Waiting(StrEnum):
    """Why a live stream has no worker."""

    NO_WORKER = "no_worker"
    NO_CAPACITY = "no_capacity"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A worker's right to run a stream, until it expires or a higher epoch is claimed."""

    stream_id: str
    worker_id: str
    epoch: int
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time in which a stream was not delivered; `until_ms` is None while it lasts. Its start is its id."""

    since_ms: int
    until_ms: int | None


@dataclass(frozen=True, kw_only=True)
class PublishedRendition:
    """A published rendition, probed and measured. Bandwidths are in bits a second: that of the heaviest segment of the
    window, and the average.
    """

    name: str
    width: int
    height: int
    fps: float
    codecs: str
    bandwidth_bps: int
    average_bandwidth_bps: int


# The name of the still picture that is played when no source works.
SLATE = "slate"


def source_name(index: int) -> str:
    """Return the name of a source by its place in `Stream.sources`, as in the runtime."""
    return "primary" if index == 0 else f"backup-{index}"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A worker's report of a stream. Fields are None until the encoder has reported them.

    `bitrate_bps` is of the best rendition, `ingest_bitrate_bps` of the source (None if unknown). `source` is what is
    played: `primary`, `backup-1` and on, or `slate`. `waiting` is why no worker has it. `down_since_ms` is set while
    the stream is not live; `outages` are the newest that ended, oldest first. `tracks` are those of the played source,
    at most `TRACKS_MAX`, `repairs` those of the current run.
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

    def is_claimed(self, now_ms: int) -> bool:
        """Return whether a worker holds a claim that has not expired."""
        return self.claim is not None and self.claim.expires_at_ms > now_ms


def is_delivered(runtime: Runtime | None, now_ms: int) -> bool:
    """Return whether the stream reaches viewers: its worker reports live, and its claim has not expired."""
    return runtime is not None and runtime.state is RuntimeState.LIVE and runtime.is_claimed(now_ms)


def effective_state(runtime: Runtime, now_ms: int) -> RuntimeState:
    """Return the state for people: a worker's report counts only while it holds its claim."""
    if runtime.is_claimed(now_ms) or runtime.state in (RuntimeState.STOPPED, RuntimeState.FAILED):
        return runtime.state
    if runtime.claim is None and runtime.state is RuntimeState.STARTING:
        # It was just set live, and a worker is about to claim it.
        return runtime.state
    return RuntimeState.BACKOFF
