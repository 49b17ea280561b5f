"""The charges of one `play`, across its sessions."""

from dataclasses import dataclass, field

from player.session.playback_api import Totals
from player.terminal.formats import MILLIPOINTS_PER_POINT


@dataclass
class Charges:
    """Charges by session. A session's total from the server replaces the sum of its leases."""

    balance_millipoints: int | None = None
    # A start was sent and not answered (yet): it may have bought a lease that cannot be refunded.
    start_unanswered: bool = False
    _leases: dict[str, dict[int, int]] = field(default_factory=dict)
    _totals: dict[str, Totals] = field(default_factory=dict)

    @property
    def session_ids(self) -> list[str]:
        """The session ids, oldest first."""
        return list(self._leases)

    @property
    def spent_millipoints(self) -> int:
        """What all sessions cost, as far as it is known."""
        by_server = {session: totals.charged_millipoints for session, totals in self._totals.items()}
        return sum(by_server.get(session, sum(leases.values())) for session, leases in self._leases.items())

    @property
    def watched_ms(self) -> int | None:
        """The watched time that the server reported; None unless it reported that of every session."""
        watched = [totals.watched_ms for totals in self._totals.values() if totals.watched_ms is not None]
        return sum(watched) if len(watched) == len(self._leases) else None

    @property
    def reserved_millipoints(self) -> int:
        """How much of the charges may come back, because it was kept for media that may have been fetched ahead."""
        return sum(totals.reserved_millipoints for totals in self._totals.values())

    def add(self, session_id: str, seq: int, millipoints: int) -> None:
        """Add what a heartbeat cost. A repeated answer changes nothing: each `seq` counts once."""
        leases = self._leases.setdefault(session_id, {})
        leases[seq] = max(leases.get(seq, 0), millipoints)

    def settle(self, session_id: str, totals: Totals) -> None:
        """Store the server's totals of a session that has ended."""
        self._totals[session_id] = totals
        self.update_balance(totals.balance_millipoints)

    def is_settled(self, session_id: str) -> bool:
        """Return whether the server reported the total of a session."""
        return session_id in self._totals

    def end_reason(self, session_id: str) -> str | None:
        """Return why the server ended a session, if it reported that."""
        return self._totals[session_id].end_reason if session_id in self._totals else None

    def message(self, session_id: str) -> str:
        """Return an operator's message at the end of a session, empty without one."""
        return self._totals[session_id].message if session_id in self._totals else ""

    def update_balance(self, millipoints: int | None) -> None:
        """Store the balance, if known."""
        if millipoints is not None:
            self.balance_millipoints = millipoints

    def whole_points_left(self, max_points: int | None) -> int | None:
        """Return how many whole points remain of the viewer's limit, or None without a limit."""
        if max_points is None:
            return None
        return max(0, max_points - -(-self.spent_millipoints // MILLIPOINTS_PER_POINT))
