"""The reaper: ends sessions whose lease expired too long ago to resume."""

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import DomainError
from chalicelib.domain.money.lease import LATE_MS_MAX
from chalicelib.domain.money.sessions import DUE_SHARDS, SessionRecord
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.money.money import PlaybackSessions, Wallets
from chalicelib.services.money.billing import Billing

# The delay of the reaper's first check of a session; it re-arms sessions that are alive.
REARM_MS = 120_000
REAP_AT_ONCE = 100
# Below the schedule's interval of a minute, and far below a function's time limit.
REAP_MS_MAX = 40_000


class Reaper:
    """Ends sessions that no heartbeat can resume, and re-arms the others."""

    def __init__(self, *, billing: Billing, wallets: Wallets, sessions: PlaybackSessions, clock: Clock) -> None:
        self._billing = billing
        self._wallets = wallets
        self._sessions = sessions
        self._clock = clock

    def reap(self) -> int:
        """End sessions whose lease expired too long ago to resume, and return how many.

        After an outage of the schedule many are due. It stops when none is due or its time is over; the next run
        continues with the longest due.
        """
        deadline_ms = self._clock.now_ms() + REAP_MS_MAX
        return sum(self._reap_shard(shard, deadline_ms) for shard in range(DUE_SHARDS))

    def _reap_shard(self, shard: int, deadline_ms: int) -> int:
        ended, more = 0, True
        while more and self._clock.now_ms() < deadline_ms:
            due = self._sessions.due(shard, self._clock.now_ms(), REAP_AT_ONCE)
            results = [self._reap_one(record) for record in due]
            ended += results.count(True)
            # If every one failed, retrying at once would not help.
            more = len(due) == REAP_AT_ONCE and results.count(None) < len(due)
        return ended

    def _reap_one(self, record: SessionRecord) -> bool | None:
        """Return whether the session was ended, or None if it failed; it is due again next time."""
        try:
            now_ms = self._clock.now_ms()
            wallet = self._wallets.get(record.user_id)
            session = wallet.sessions.get(record.session_id) if wallet else None
            if session is not None and now_ms > session.paid_until_ms + LATE_MS_MAX:
                self._billing.end(record.user_id, record.session_id, EndReason.LEASE_EXPIRED)
                return True
            self._sessions.rearm(record.session_id, now_ms + REARM_MS)
        except (DomainError, StoreUnavailable):
            return None
        return False
