"""What a worker knows of its stream at one moment. None: unknown, which is never taken for zero."""

from dataclasses import dataclass

from chalicelib.domain.streams.issues.ingest_refusals import IngestRefusal
from chalicelib.domain.streams.media_health import Repairs


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a source is not played. `kind` is `broken`, `refused`, or `waiting` (it waits for its sender)."""

    source: str
    kind: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PlayedSource:
    """The source that is played. `connection` differs for each opening.

    `bitrate_bps` is what comes now, `keyframe_interval_s` the longest of its newest intervals. `pictures_per_s` is what
    the source says of itself. `moves` says whether its picture has moved in the last second.
    """

    name: str
    connection: int
    width: int | None = None
    height: int | None = None
    is_interlaced: bool = False
    rotation: int = 0
    has_audio: bool = True
    pictures_per_s: float | None = None
    bitrate_bps: int | None = None
    keyframe_interval_s: float | None = None
    moves: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How publishing goes. `store_error` is what the store answers since `failing_s`, `""` if all was stored.

    `upload_share` is how long an upload takes, as a share of the segment's duration.
    """

    store_error: str | None = None
    failing_s: float = 0.0
    upload_share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One look at a stream.

    `run` is the number of the present run, 0 before the first, and `repairs` what it has repaired; None while none
    runs. `is_copied`: its pictures are not decoded. `speed` is how fast it makes media against the clock,
    `pictures_per_s` how many pictures it makes.

    `playing` is the name of what is played, `source` its properties; the pattern and the slate have none. `troubles`
    are the sources that cannot be played. `listener` is the source that waits for a sender, if there is one (`is_rtmp`:
    by RTMP), and `connected_s` are the times at which its newest senders began. `rejected` is why and when one was
    rejected by SRT last, `refusals` are those of the RTMP ingest.

    `frozen_sources` are open and not played, since nothing moves in them. `published_fault` is why runs were replaced
    lately, `""` if none was, None if no segment was looked into. `ladder_bps` is the bitrate of the best rendition.
    """

    now_ms: int = 0
    run: int = 0
    repairs: Repairs | None = None
    is_copied: bool = False
    speed: float | None = None
    pictures_per_s: float | None = None
    playing: str | None = None
    source: PlayedSource | None = None
    troubles: tuple[Trouble, ...] | None = None
    listener: str | None = None
    is_rtmp: bool = False
    connected_s: tuple[float, ...] = ()
    rejected: tuple[str, float] | None = None
    refusals: tuple[IngestRefusal, ...] | None = None
    frozen_sources: tuple[str, ...] = ()
    published_fault: str | None = None
    ladder_bps: int | None = None
    delivery: Delivery = Delivery()
    disk_free_bytes: int | None = None
