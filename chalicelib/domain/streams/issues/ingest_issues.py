"""Ingest issues: what lasts and is wrong with a stream's sender, source, media, delivery or worker.

`issue_kinds` has what each type means. A type is open at most once for each stream. Closed issues are the history.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

# How long a closed issue is kept.
HISTORY_DAYS = 30
# Bounds of `actual` and `expected`: texts of a source may have any length.
ISSUE_TEXT_CHARS_MAX = 200
# An issue that opens again within this time needs twice as long to close, each time, up to the maximum.
REOPENED_WITHIN_S = 3_600.0
CLOSES_AFTER_S_MAX = 600.0
# An open issue that nothing can be measured of any more is closed after this time.
UNKNOWN_S = 60.0


class IssueType(StrEnum):
    """The type of an ingest issue."""

    AUDIO_MISSING = "audio_missing"
    AUDIO_GAPS = "audio_gaps"
    AUDIO_DRIFT = "audio_drift"
    PICTURE_PAUSED = "picture_paused"
    PICTURE_FROZEN = "picture_frozen"
    TIMESTAMP_JUMPS = "timestamp_jumps"
    FORMAT_CHANGES = "format_changes"
    DAMAGED_MEDIA = "damaged_media"
    PUBLISHED_FAULTY = "published_faulty"
    NO_SENDER = "no_sender"
    WRONG_KEY = "wrong_key"
    SENDER_REJECTED = "sender_rejected"
    SENDER_RECONNECTS = "sender_reconnects"
    SOURCE_FAILING = "source_failing"
    SOURCE_REFUSED = "source_refused"
    CODEC_REFUSED = "codec_refused"
    PICTURE_MISSING = "picture_missing"
    AUDIO_ABSENT = "audio_absent"
    PICTURE_SIZE_CHANGED = "picture_size_changed"
    INTERLACED = "interlaced"
    ROTATED = "rotated"
    KEYFRAMES_FAR_APART = "keyframes_far_apart"
    BITRATE_LOW = "bitrate_low"
    BITRATE_ABOVE_LADDER = "bitrate_above_ladder"
    FRAME_RATE_UNSTEADY = "frame_rate_unsteady"
    FRAMES_DROPPED = "frames_dropped"
    ENCODER_SLOW = "encoder_slow"
    UPLOAD_SLOW = "upload_slow"
    STORE_FAILING = "store_failing"
    ON_BACKUP = "on_backup"
    ON_SLATE = "on_slate"
    DISK_LOW = "disk_low"
    NO_WORKER = "no_worker"
    NO_CAPACITY = "no_capacity"


# The controller opens these while no worker has the stream. All others are the worker's.
CONTROLLER_TYPES = frozenset({IssueType.NO_WORKER, IssueType.NO_CAPACITY})


class Severity(StrEnum):
    """How bad an issue is. `error`: viewers get nothing, or something wrong. `warning`: they get less than they could,
    or soon will. `info`: it works, and the sender could do better.
    """

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class CloseReason(StrEnum):
    """Why an issue was closed: it is over, it cannot be measured any more, or the stream is not live any more."""

    CLEARED = "cleared"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


class IssueState(StrEnum):
    """Which issues are listed."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong now: the actual state and the expected one, in words with figures and units."""

    actual: str
    expected: str


def finding_if(is_found: bool, actual: str, expected: str) -> Finding | None:
    """Return a finding if there is something to find."""
    return Finding(actual=actual, expected=expected) if is_found else None


@dataclass(frozen=True, kw_only=True)
class IngestIssue:
    """An issue of a stream. `since_ms` is when it was found first; an open issue has no `closed_at_ms`.

    `actual` is the newest state of an open issue, at most a minute old, and the last one of a closed issue.
    """

    stream_id: str
    type: IssueType
    since_ms: int
    actual: str
    expected: str
    closed_at_ms: int | None = None
    close_reason: CloseReason | None = None

    @property
    def issue_id(self) -> str:
        """The id, unique within the stream. Ids rise with `since_ms`."""
        return f"{self.since_ms:013d}.{self.type}"

    def closed(self, at_ms: int, reason: CloseReason) -> "IngestIssue":
        """Return the issue as it is closed now."""
        return replace(self, closed_at_ms=at_ms, close_reason=reason)

    def reopened(self) -> "IngestIssue":
        """Return the issue as it was before it was closed."""
        return replace(self, closed_at_ms=None, close_reason=None)


def opened_issue(stream_id: str, issue_type: IssueType, since_ms: int, finding: Finding) -> IngestIssue:
    """Return a new issue, its texts cut to `ISSUE_TEXT_CHARS_MAX`."""
    actual, expected = (text[:ISSUE_TEXT_CHARS_MAX] for text in (finding.actual, finding.expected))
    return IngestIssue(stream_id=stream_id, type=issue_type, since_ms=since_ms, actual=actual, expected=expected)
