"""Playback sessions: the part inside the wallet that money moves on, and the record for people."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.end_reasons import EndReason

# The reaper's index is spread over so many partitions; changing it strands rows, so it needs a migration.
DUE_SHARDS = 8


class SessionKind(StrEnum):
    """A viewing buys lease after lease; a preview is one free lease for an admin and is never extended."""

    VIEWING = "viewing"
    PREVIEW = "preview"


@dataclass(frozen=True, kw_only=True)
class ActiveSession:
    """A session as its wallet holds it. Times are the server's clock in ms, amounts are millipoints.

    `charge` and `lease_ms` are frozen at start, so that a beat needs to know nothing but user, session and seq.
    `paid_from_ms`..`paid_until_ms` is the time granted last without a gap; the part `free_from_ms`..`free_until_ms` of
    it was granted without a charge, or its charge was given back. `outage_ms` is the beginning of the newest outage of
    the stream that this session has been credited for. `counted`: it takes one of the places that its stream has.
    """

    session_id: str
    stream_id: str
    kind: SessionKind
    started_at_ms: int
    rate_millipoints_per_minute: int
    lease_ms: int
    charge_millipoints: int
    seq: int
    paid_until_ms: int
    charged_millipoints: int
    budget_millipoints: int
    granted_ms: int
    paid_from_ms: int = 0
    free_from_ms: int = 0
    free_until_ms: int = 0
    outage_ms: int = 0
    counted: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """A row of `playback_sessions`: written at start and end, never per beat. Who has started it is kept elsewhere
    (`domain/access/clients.py`), and not for as long.

    The session's lines in the ledger have versions above `from_version`; `adjustments` of them come after its end, and
    have given back `adjusted_millipoints` of what it was charged.
    """

    session_id: str
    user_id: str
    stream_id: str
    kind: SessionKind
    started_at_ms: int
    rate_millipoints_per_minute: int
    lease_ms: int
    due_shard: int
    due_ms: int
    from_version: int = 0
    ended_at_ms: int | None = None
    end_reason: EndReason | None = None
    charged_millipoints: int | None = None
    refunded_millipoints: int | None = None
    watched_ms: int | None = None
    granted_ms: int | None = None
    adjustments: int = 0
    adjusted_millipoints: int = 0

    @property
    def active(self) -> bool:
        """Whether the session has not ended (its lease may have run out all the same)."""
        return self.end_reason is None

    @property
    def adjustable_millipoints(self) -> tuple[int, int]:
        """The least and the most that one more adjustment may give: from all that was given back, to all that is left.

        So what the session costs in the end is never below 0, and never above what its viewer agreed to pay.
        """
        return -self.adjusted_millipoints, (self.charged_millipoints or 0) - self.adjusted_millipoints
