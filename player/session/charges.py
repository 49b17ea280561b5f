"""The charges of one `play`, across its sessions."""

from dataclasses import dataclass, field

from player.terminal.formats import MILLIPOINTS_PER_POINT


@dataclass
class Charges:
    """Charges by session. A session's total from the server replaces the sum of its leases."""

    balance_millipoints: int | None = None
    # A start was sent and not answered (yet): it may have bought a lease that cannot be refunded.
    start_unanswered: bool = False
    _leases: dict[str, dict[int, int]] = field(default_factory=dict)
    _totals: dict[str, int] = field(default_factory=dict)
    _watched: dict[str, int] = field(default_factory=dict)

    @property
    def session_ids(self) -> list[str]:
        """The session ids, oldest first."""
        return list(self._leases)

    @property
    def spent_millipoints(self) -> int:
        """What all sessions cost, as far as it is known."""
        return sum(self._totals.get(session, sum(leases.values())) for session, leases in self._leases.items())

    @property
    def watched_ms(self) -> int | None:
        """The watched time that the server reported; None unless it reported that of every session."""
        return sum(self._watched.values()) if set(self._watched) == set(self._leases) else None

    def add(self, session_id: str, seq: int, millipoints: int) -> None:
        """Add what a heartbeat cost. A repeated answer changes nothing: each `seq` counts once."""
        leases = self._leases.setdefault(session_id, {})
        leases[seq] = max(leases.get(seq, 0), millipoints)

    def settle(self, session_id: str, total_millipoints: int | None, watched_ms: int | None) -> None:
        """Store the server's totals of a session, if known: its cost after the refund, and the watched time."""
        if total_millipoints is not None:
            self._totals[session_id] = total_millipoints
        if watched_ms is not None:
            self._watched[session_id] = watched_ms

    def is_settled(self, session_id: str) -> bool:
        """Return whether the server reported the total of a session."""
        return session_id in self._totals

    def update_balance(self, millipoints: int | None) -> None:
        """Store the balance, if known."""
        if millipoints is not None:
            self.balance_millipoints = millipoints

    def whole_points_left(self, max_points: int | None) -> int | None:
        """Return how many whole points remain of the viewer's limit, or None without a limit."""
        if max_points is None:
            return None
        return max(0, max_points - -(-self.spent_millipoints // MILLIPOINTS_PER_POINT))
