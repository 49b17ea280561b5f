"""Whether the gateways' logs of a session's time are complete, so that money may depend on what they say."""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.domain.money.usage import Follower

# The log of a session is complete once each follower has passed the session's end by this much: a segment begins at
# most 20 s after the end (a cached decision, then two waits), and after 35 s more it has ended or counts as whole.
LOG_ARRIVES_MS = 60_000
# A follower that was silent for this long before a session started is not waited for. Its gateway may no longer exist.
FOLLOWER_GONE_MS = 3_600_000
# A session that no complete log has arrived for after a day is never measured.
GIVE_UP_MS = 86_400_000


class Measurement(StrEnum):
    """Whether the usage of an ended session is complete."""

    MEASURED = "measured"
    # A follower has not come past the session's end, or none has reported for its time.
    PENDING = "pending"
    # A part of the log is lost, or no complete log has arrived for a day.
    NEVER = "never"


def measurement(started_at_ms: int, ended_at_ms: int, followers: Mapping[str, Follower], now_ms: int) -> Measurement:
    """Return whether the usage of a session is complete, by the reports of all followers.

    A lost range of any follower counts, also if that follower has left. A follower that crashed within the hour before
    the session started, or later, is waited for: its gateway may have served the session.
    """
    complete_ms = ended_at_ms + LOG_ARRIVES_MS
    lost = [each for follower in followers.values() for each in follower.lost]
    if any(from_ms <= complete_ms and until_ms >= started_at_ms for from_ms, until_ms in lost):
        return Measurement.NEVER
    counting = [each for each in followers.values() if each.heard_ms > started_at_ms - FOLLOWER_GONE_MS]
    if counting and all(each.through_ms >= complete_ms for each in counting):
        return Measurement.MEASURED
    return Measurement.NEVER if now_ms > ended_at_ms + GIVE_UP_MS else Measurement.PENDING


def is_followed(followers: Mapping[str, Follower], now_ms: int) -> bool:
    """Return whether any follower has reported within the last hour. If not, nothing can be measured now."""
    return any(each.heard_ms > now_ms - FOLLOWER_GONE_MS for each in followers.values())
