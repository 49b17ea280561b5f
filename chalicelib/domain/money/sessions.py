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
    `counted` says whether it takes one of the stream's viewer places. `priced_seq` is the newest lease that was not
    bought on time, and `priced_millipoints` its price; all other leases cost `charge_millipoints`.
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
    priced_seq: int = 0
    priced_millipoints: int = 0

    def price_of(self, seq: int) -> int:
        """Return what the session's newest lease, which has this `seq`, cost in millipoints."""
        return self.priced_millipoints if seq == self.priced_seq else self.charge_millipoints


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """A row of `playback_sessions`, written at start and end, not at heartbeats.

    The client that started it is stored elsewhere for a shorter time (`domain/access/clients.py`). Its lines in the
    ledger have versions above `from_version`. `adjustments` is how many of them come after its end; they have given
    back `adjusted_millipoints` of its charge.

    At its end, `reserved_millipoints` were kept for media fetched ahead, and it could still have spent
    `budget_millipoints`. Its one settlement (`settlement.py`) was at `settled_at_ms`: for `settled_ms` of media, served
    ahead (positive) or not served (negative), the viewer paid (negative) or got `settled_millipoints`, of which
    `settled_debt_millipoints` became debt. `charged_millipoints` includes it without the debt. Sessions that ended
    before there were settlements have no `reserved_millipoints`. `message` is an operator's to the viewer, at a kick.
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
    budget_millipoints: int = 0
    in_outage: bool = False
    reserved_millipoints: int | None = None
    settled_at_ms: int | None = None
    settled_ms: int | None = None
    settled_millipoints: int | None = None
    settled_debt_millipoints: int | None = None
    # What its start paid of the debt of earlier sessions. It is no part of its cost.
    debt_payment_millipoints: int = 0
    message: str | None = None

    @property
    def active(self) -> bool:
        """Whether the session has not ended. Its lease may have expired."""
        return self.end_reason is None

    @property
    def settlement_entries(self) -> int:
        """How many entries of the ledger are of its settlement: one if anything was due, else none."""
        return int(bool(self.settled_millipoints))

    @property
    def adjustable_millipoints(self) -> tuple[int, int]:
        """The smallest and largest further adjustment.

        They keep the session's final cost between 0 and what its viewer agreed to pay.
        """
        return -self.adjusted_millipoints, (self.charged_millipoints or 0) - self.adjusted_millipoints
