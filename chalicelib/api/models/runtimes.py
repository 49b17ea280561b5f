"""Runtime reports of workers, and the log of a stream: encoder runs, and senders that the ingest rejected."""

from __future__ import annotations

from chalicelib.api.models.common import Answer, ListAnswer, ListQuery
from chalicelib.api.models.forms import StreamId
from chalicelib.api.models.ingest_issues import IngestIssueAnswer
from chalicelib.domain.streams.ingest import IngestMode
from chalicelib.domain.streams.issues.ingest_refusals import RefusalCode
from chalicelib.domain.streams.media_health import TrackKind
from chalicelib.domain.streams.runtime import Outage, PublishedRendition, RuntimeState, Waiting
from chalicelib.domain.streams.stream import DesiredState


class SourceTrackAnswer(Answer):
    """A track of the played source. `track` counts from 1 within its kind and programme."""

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
    """Repairs of one run, counted from its start. `drift_ppm` is null while the sender's drift is unknown."""

    silence_ms: int
    trimmed_ms: int
    drift_ppm: int | None
    pictures_repeated: int
    pictures_dropped: int
    timestamp_jumps: int
    format_changes: int
    damaged_packets: int
    restarts_avoided: int


class RuntimeAnswer(Answer):
    """The worker's report; null fields were not reported yet. `outages` are the newest, oldest first.

    `manifest_age_ms` is the age of the last published media. `tracks` are those of the played source, `repairs` those
    of the current run, `issues` are the open ones, newest first.
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
    published: list[PublishedRendition]
    outages: list[Outage]
    tracks: list[SourceTrackAnswer]
    repairs: RepairsAnswer | None
    issues: list[IngestIssueAnswer]


class StreamStatesQuery(ListQuery):
    """One stream, or a page of all."""

    stream_id: StreamId | None = None


class StreamStateAnswer(Answer):
    """A stream in the operators' list. `desired_state` is their setting, `state` what really happens.

    `viewers` and `millipoints_per_minute` are of its active sessions, without synthetic ones, and null if more than
    5000 are active on the stage. `manifest_age_ms` is null while the stream should not be live, the bitrates while no
    worker has it. `issue` is the most severe of the `issues_open`.
    """

    stream_id: str
    title: str
    ingest_mode: IngestMode
    desired_state: DesiredState
    state: RuntimeState
    waiting: Waiting | None
    source: str | None
    last_error: str | None
    rate_millipoints_per_minute: int
    viewers: int | None
    viewers_max: int
    millipoints_per_minute: int | None
    manifest_age_ms: int | None
    bitrate_bps: int | None
    ingest_bitrate_bps: int | None
    issues_open: int
    issue: IngestIssueAnswer | None


class RunLogAnswer(Answer):
    """An encoder run: its last lines, oldest first, and how it ended (null while it runs).

    `source_lines` are from the process that receives a live source. If `run` is null, the source could not be opened or
    has no sender, `ending` says why, and `ended_at_ms` is null while that lasts. `notes` describe repairs, newest last,
    and `repairs` counts them (null if unknown).
    """

    worker_id: str
    run: str | None
    source: str
    began_at_ms: int
    ended_at_ms: int | None
    ending: str | None
    lines: list[str]
    source_lines: list[str]
    repairs: RepairsAnswer | None
    notes: list[str]


class IngestRefusalAnswer(Answer):
    """Why the RTMP ingest rejected or disconnected senders, `count` times, last at `last_at_ms`.

    `detail` also says what to do. A reason is dropped after 24 h without a rejection.
    """

    code: RefusalCode
    detail: str
    count: int
    last_at_ms: int


class StreamLogAnswer(ListAnswer[RunLogAnswer]):
    """The encoder runs of a stream, the rejections of its ingest and its newest 50 issues, all newest first."""

    ingest_refusals: list[IngestRefusalAnswer]
    issues: list[IngestIssueAnswer]
