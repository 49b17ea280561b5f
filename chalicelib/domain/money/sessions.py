"""Playback sessions: the part in the wallet that billing changes, and the record for people."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.end_reasons import EndReason

# Partitions of the reaper's index. Changing this strands rows, so it needs a migration.
DUE_SHARDS = 8


class SessionKind(StrEnum):
    """A viewing buys lease after lease. A preview is one free lease for an operator and is never extended."""

    VIEWING = "viewing"
    PREVIEW = "preview"


@dataclass(frozen=True, kw_only=True)
class ActiveSession:
    """A session in its wallet. Times are the server's clock in ms, amounts are millipoints.

    `charge` and `lease_ms` are fixed at the start, so a heartbeat needs only user, session and seq. `paid_from_ms` to
    `paid_until_ms` is the last granted time without a gap. Its part from `free_from_ms` to `free_until_ms` was granted
    free of charge or refunded. `outage_ms` is the start of the newest outage that this session was credited for.
    `counted` says whether it takes one of the stream's viewer places.
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
    """A row of `playback_sessions`, written at start and end, not at heartbeats.

    The client that started it is stored elsewhere for a shorter time (`domain/access/clients.py`). Its lines in the
    ledger have versions above `from_version`. `adjustments` is how many of them come after its end; they have given
    back `adjusted_millipoints` of its charge.
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
        """Whether the session has not ended. Its lease may have expired."""
        return self.end_reason is None

    @property
    def adjustable_millipoints(self) -> tuple[int, int]:
        """The smallest and largest further adjustment.

        They keep the session's final cost between 0 and what its viewer agreed to pay.
        """
        return -self.adjusted_millipoints, (self.charged_millipoints or 0) - self.adjusted_millipoints
