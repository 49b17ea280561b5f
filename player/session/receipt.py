"""What a viewing cost, and the receipt that `play` ends with."""

import json
from dataclasses import dataclass, field

from player.outcome import Ending
from player.terminal.formats import MILLIPOINTS_PER_POINT, clock, points


@dataclass
class Bill:
    """Charges of a viewing, by session. The server's own total of a session goes before our sum of its beats."""

    balance_millipoints: int | None = None
    # A session was asked for and no try was answered (yet): it may have bought a lease that nobody can give back.
    start_unanswered: bool = False
    _beats: dict[str, dict[int, int]] = field(default_factory=dict)
    _totals: dict[str, int] = field(default_factory=dict)
    _watched: dict[str, int] = field(default_factory=dict)

    @property
    def session_ids(self) -> list[str]:
        """The sessions of this viewing, oldest first."""
        return list(self._beats)

    @property
    def spent_millipoints(self) -> int:
        """What all sessions cost, as far as it is known."""
        return sum(self._totals.get(session, sum(beats.values())) for session, beats in self._beats.items())

    @property
    def watched_ms(self) -> int | None:
        """How long was watched as the server tells it, None unless it told that of every session."""
        return sum(self._watched.values()) if set(self._watched) == set(self._beats) else None

    def charge(self, session_id: str, seq: int, millipoints: int) -> None:
        """Note what a beat cost. Answers that are repeated change nothing: a beat's price is counted once."""
        beats = self._beats.setdefault(session_id, {})
        beats[seq] = max(beats.get(seq, 0), millipoints)

    def settle(self, session_id: str, total_millipoints: int | None, watched_ms: int | None) -> None:
        """Note the server's totals for a session where it told them: what it cost, refund taken off, and its time."""
        if total_millipoints is not None:
            self._totals[session_id] = total_millipoints
        if watched_ms is not None:
            self._watched[session_id] = watched_ms

    def is_settled(self, session_id: str) -> bool:
        """Return whether the server told its total for a session."""
        return session_id in self._totals

    def balance(self, millipoints: int | None) -> None:
        """Note the balance, where the server told it."""
        if millipoints is not None:
            self.balance_millipoints = millipoints

    def whole_points_left(self, max_points: int | None) -> int | None:
        """Return how many whole points of a viewer's own limit are left, or None without a limit."""
        if max_points is None:
            return None
        return max(0, max_points - -(-self.spent_millipoints // MILLIPOINTS_PER_POINT))


@dataclass(frozen=True)
class Receipt:
    """The last words of `play`. `played_ms` is mpv's word, for where the server's is not known."""

    ending: Ending
    stream_id: str
    bill: Bill
    played_ms: int
    frames_shown: int
    settled: bool

    @property
    def watched_ms(self) -> int:
        """How long was watched: the server's word goes first, as `player receipt` has it."""
        return self.played_ms if self.bill.watched_ms is None else self.bill.watched_ms

    def lines(self) -> list[str]:
        """Return the reason and the receipt as people read them."""
        balance = self.bill.balance_millipoints
        left = f"{points(balance)} left" if balance is not None else "balance not known"
        lines = [
            f"{self.ending.sentence} ({self.ending.end_reason})",
            f"Watched {clock(self.watched_ms / 1000)}, spent {points(self.bill.spent_millipoints)}, {left}.",
            f"Session {', '.join(self.bill.session_ids)}",
        ]
        if not self.settled:
            lines.insert(2, "The server could not be told: it ends the session by itself. See: player ledger")
        return lines

    def as_json(self) -> str:
        """Return the receipt as one line of JSON."""
        return json.dumps(
            {
                "end_reason": self.ending.end_reason,
                "exit_status": int(self.ending.exit_status),
                "message": self.ending.sentence,
                "stream_id": self.stream_id,
                "session_ids": self.bill.session_ids,
                "watched_ms": self.watched_ms,
                "spent_millipoints": self.bill.spent_millipoints,
                "balance_millipoints": self.bill.balance_millipoints,
                "frames_shown": self.frames_shown,
                "settled": self.settled,
            }
        )
