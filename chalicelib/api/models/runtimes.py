"""What a worker reports of a stream."""

from __future__ import annotations

from chalicelib.api.models.common import Answer
from chalicelib.domain.streams.media_health import IngestIssueCode, TrackKind
from chalicelib.domain.streams.runtime import RuntimeState, Waiting


class OutageAnswer(Answer):
    """A time without a picture; `until_ms` null while it lasts. It costs viewers nothing."""

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


class SourceTrackAnswer(Answer):
    """A track that the played source offers; `track` counts from 1 within its kind and programme."""

    kind: TrackKind
    track: int
    program: int | None
    codec: str
    language: str | None
    title: str | None
    details: str
    is_default: bool
    is_played: bool


class RepairsAnswer(Answer):
    """What one run repaired, counted from its start; `drift_ppm` is null where the sender's drift was not measured."""

    silence_ms: int
    trimmed_ms: int
    drift_ppm: int | None
    pictures_repeated: int
    pictures_dropped: int
    timestamp_jumps: int
    format_changes: int
    damaged_packets: int
    restarts_avoided: int


class IngestIssueAnswer(Answer):
    """Something that goes on to be wrong with the source, and since when."""

    code: IngestIssueCode
    detail: str
    since_ms: int


class RuntimeAnswer(Answer):
    """What the worker reports; null where it has not reported yet. `outages` are the newest, oldest first.

    `manifest_age_ms` is how long ago, at the time of this answer, something new was published last. `tracks` are what
    the played source offers, `repairs` what the present run repaired, `issues` what goes on to be wrong.
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
    tracks: list[SourceTrackAnswer]
    repairs: RepairsAnswer | None
    issues: list[IngestIssueAnswer]
