"""A stream's settings and their rules."""

from dataclasses import dataclass, field
from enum import StrEnum
from hmac import compare_digest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import LEASE_MS_DEFAULT
from chalicelib.domain.streams import pacing
from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.ladders import ABR_PROFILES, CUSTOM_PROFILE, FPS_MAX_DEFAULT, Rendition
from chalicelib.domain.streams.pacing import SEGMENT_SECONDS_MIN, Latency
from chalicelib.domain.streams.playlist_size import window_fault
from chalicelib.domain.versions import Change


class DesiredState(StrEnum):
    """The state that the operator set."""

    LIVE = "live"
    PAUSED = "paused"
    STOPPED = "stopped"


# The end reason of sessions of a stream that is not live.
END_OF_DESIRED = {DesiredState.PAUSED: EndReason.STREAM_PAUSED, DesiredState.STOPPED: EndReason.STREAM_STOPPED}


class SessionBinding(StrEnum):
    """What happens when another client than the first requests a session's media."""

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


WINDOW_MINUTES_MIN, WINDOW_MINUTES_MAX = 1, 720
FROZEN_AFTER_S_OFF, FROZEN_AFTER_S_MIN, FROZEN_AFTER_S_MAX = 0, 10, 3_600


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream's settings. `generation` rises with every change that needs a new encoder.

    `backups` are tried in order while `ingest` fails; with `slate` a still picture is played when none works. A source
    whose picture is frozen and sound silent for longer than `frozen_after_s` counts as failed; 0 is off. `viewers_max`
    0 is no limit; only sessions that start under a limit are counted. `ingest_key` is the secret of senders.
    """

    stream_id: str
    title: str
    ingest: Ingest
    backups: tuple[Ingest, ...] = ()
    slate: bool = False
    frozen_after_s: int = FROZEN_AFTER_S_OFF
    ingest_key: str = ""
    abr_profile: str = "hd"
    # The ladder of the profile `custom`; empty with other profiles.
    custom_renditions: tuple[Rendition, ...] = ()
    # The highest frame rate; only the profile `custom` changes it.
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
    # What the last changes replaced. It follows from them, so streams compare without it.
    changes: tuple[Change, ...] = field(default=(), compare=False)

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        """The ladder of its profile."""
        return self.custom_renditions if self.abr_profile == CUSTOM_PROFILE else ABR_PROFILES[self.abr_profile]

    @property
    def live_start_index(self) -> int:
        """The segment that a player begins with, counted from the end of the playlist."""
        return pacing.live_start_index(self.latency, self.segment_seconds)

    @property
    def sources(self) -> tuple[Ingest, ...]:
        """All sources, in order of preference."""
        return (self.ingest, *self.backups)

    @property
    def listening(self) -> Ingest | None:
        """The source that waits for a sender; there is at most one."""
        return next((source for source in self.sources if source.mode is IngestMode.LISTEN), None)

    @property
    def srt_port(self) -> int | None:
        """The port at which it listens for SRT, which no other stream may use. None once it is archived."""
        return None if self.archived or self.listening is None else self.listening.port


def takes_rtmp(stream: Stream | None, key: str) -> bool:
    """Return whether this key allows sending the stream by RTMP, or playing what is sent."""
    if stream is None or stream.archived or stream.listening is None or not stream.ingest_key:
        return False
    same_key = compare_digest(stream.ingest_key.encode(), key.encode())
    return same_key and stream.listening.protocol is ListenProtocol.RTMP


def stream_faults(stream: Stream) -> list[str]:
    """Return which settings do not fit together, in words that say what is allowed."""
    faults = []
    if (stream.abr_profile == CUSTOM_PROFILE) != bool(stream.custom_renditions):
        faults.append(
            f"the profile `{CUSTOM_PROFILE}` needs custom_renditions; with every other profile custom_renditions is []"
        )
    if stream.abr_profile != CUSTOM_PROFILE and stream.fps_max != FPS_MAX_DEFAULT:
        faults.append(
            f"fps_max {stream.fps_max} belongs to the profile `{CUSTOM_PROFILE}`; "
            f"with every other profile fps_max is {FPS_MAX_DEFAULT}"
        )
    copies = any(rendition.copied for rendition in stream.renditions)
    if copies and any(source.mode is IngestMode.TEST for source in stream.sources):
        faults.append("the profile `source` cannot copy a source with mode `test`")
    if copies and stream.frozen_after_s:
        faults.append("frozen_after_s needs a profile that encodes; the profile `source` does not decode pictures")
    if sum(source.mode is IngestMode.LISTEN for source in stream.sources) > 1:
        faults.append("only one source of a stream may listen, since key and address belong to the stream")
    if stream.latency is Latency.LOW and stream.segment_seconds != SEGMENT_SECONDS_MIN:
        faults.append(f"low latency needs segment_seconds {SEGMENT_SECONDS_MIN}")
    if fault := window_fault(stream.window_minutes, stream.segment_seconds, copied=copies):
        faults.append(fault)
    return faults
