"""Issues of the encoder, the upload, the sources' order and the worker's disk."""

from collections.abc import Collection

from chalicelib.domain.streams.issues.ingest_issues import Finding, IssueType, finding_if
from chalicelib.domain.streams.media_health import Repairs
from chalicelib.domain.streams.runtime import SLATE, source_name
from worker.issues.observation import Observation
from worker.issues.repair_windows import PAUSED_PER_S
from worker.issues.tracker import Verdicts

# An open issue stays open up to the second value of each pair, or down to it.
SPEED_MIN, SPEED_STAYS = 0.9, 0.97
UPLOAD_SHARE_MAX, UPLOAD_SHARE_STAYS = 0.5, 0.3
# A segment of all renditions is a few MB, and 30 may wait for the store.
DISK_FREE_BYTES_MIN, DISK_FREE_BYTES_STAYS = 1 << 30, 3 << 29
# The share of the pictures that may be repeated since the next one is late, and the dropped pictures a second.
REPEATED_SHARE_MAX, REPEATED_SHARE_STAYS = 0.05, 0.02
DROPPED_PER_S_MAX, DROPPED_PER_S_STAYS = 1.0, 0.3


def delivery_verdicts(seen: Observation, open_types: Collection[IssueType]) -> Verdicts:
    """Return the verdicts on what is played, on the store and on the disk."""
    found: dict[IssueType, Finding | None] = {}
    if seen.playing is not None:
        first = source_name(0)
        is_backup = seen.playing not in (first, SLATE)
        found[IssueType.ON_BACKUP] = finding_if(is_backup, f"{seen.playing} is played", first)
        found[IssueType.ON_SLATE] = finding_if(seen.playing == SLATE, "the slate is played, no source works", first)
    delivery = seen.delivery
    if delivery.store_error is not None:
        actual = f"for {delivery.failing_s:.0f} s: {delivery.store_error}"
        found[IssueType.STORE_FAILING] = finding_if(bool(delivery.store_error), actual, "every write succeeds")
    if delivery.upload_share is not None:
        allowed = UPLOAD_SHARE_STAYS if IssueType.UPLOAD_SLOW in open_types else UPLOAD_SHARE_MAX
        actual = f"an upload takes {delivery.upload_share * 100:.0f} % of a segment's duration"
        expected = f"at most {UPLOAD_SHARE_MAX * 100:.0f} %"
        found[IssueType.UPLOAD_SLOW] = finding_if(delivery.upload_share > allowed, actual, expected)
    if seen.disk_free_bytes is not None:
        least = DISK_FREE_BYTES_STAYS if IssueType.DISK_LOW in open_types else DISK_FREE_BYTES_MIN
        actual = f"{seen.disk_free_bytes >> 20} MiB are free for segments"
        finding = finding_if(seen.disk_free_bytes < least, actual, f"at least {DISK_FREE_BYTES_MIN >> 20} MiB")
        found[IssueType.DISK_LOW] = finding
    return found


def encoder_verdicts(
    seen: Observation, window: Repairs | None, window_s: float, open_types: Collection[IssueType]
) -> Verdicts:
    """Return the verdicts on an encoding run by its last window of repairs. A copied source has none."""
    if seen.is_copied or seen.source is None:
        return {}
    found: dict[IssueType, Finding | None] = {}
    if seen.speed is not None:
        allowed = SPEED_STAYS if IssueType.ENCODER_SLOW in open_types else SPEED_MIN
        actual = f"the encoder makes {seen.speed:.2f} s of media a second"
        found[IssueType.ENCODER_SLOW] = finding_if(seen.speed < allowed, actual, "1 s a second")
    if window is None or seen.pictures_per_s is None:
        return found
    source_per_s, repeated_per_s = seen.source.pictures_per_s, window.pictures_repeated / window_s
    if source_per_s is None:
        return found
    # A slower source has to be repeated, and pictures that hardly come at all are another issue.
    share = (repeated_per_s - max(0.0, seen.pictures_per_s - source_per_s)) / seen.pictures_per_s
    if repeated_per_s < PAUSED_PER_S:
        allowed = REPEATED_SHARE_STAYS if IssueType.FRAME_RATE_UNSTEADY in open_types else REPEATED_SHARE_MAX
        actual = f"{share * 100:.0f} % of the pictures were late and replaced by the one before"
        expected = f"{source_per_s:g} pictures a second at equal distances"
        found[IssueType.FRAME_RATE_UNSTEADY] = finding_if(share > allowed, actual, expected)
    dropped_per_s = window.pictures_dropped / window_s - max(0.0, source_per_s - seen.pictures_per_s)
    allowed = DROPPED_PER_S_STAYS if IssueType.FRAMES_DROPPED in open_types else DROPPED_PER_S_MAX
    actual = f"{max(0.0, dropped_per_s):.1f} pictures a second were too many or too late"
    found[IssueType.FRAMES_DROPPED] = finding_if(dropped_per_s > allowed, actual, "none beyond `fps_max`")
    return found
