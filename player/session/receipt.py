"""The receipt that `play` ends with."""

import json
from dataclasses import dataclass

from player.endings import Ending
from player.session.charges import Charges
from player.terminal.formats import clock, points
from player.terminal.notices import AHEAD_SENTENCE, message_line, reserve_sentence

# After these ends no paid time is left to reserve for what was fetched ahead. The gateway lets a session fetch what it
# can pay, so only another session on the wallet, a lowered cap or a lost connection makes it cost extra.
PAID_UP = ("balance_exhausted", "max_points_reached", "daily_cap_reached", "lease_expired")


@dataclass(frozen=True)
class Receipt:
    """How a `play` ended and what it cost. `played_ms` was measured at mpv."""

    ending: Ending
    stream_id: str
    charges: Charges
    played_ms: int
    frames_shown: int
    settled: bool

    @property
    def watched_ms(self) -> int:
        """The watched time: the server's if it reported one, as `player receipt` shows it, else mpv's."""
        return self.played_ms if self.charges.watched_ms is None else self.charges.watched_ms

    def lines(self) -> list[str]:
        """Return the end reason and the receipt for people."""
        balance = self.charges.balance_millipoints
        left = f"{points(balance)} left" if balance is not None else "balance not known"
        lines = [
            f"{self.ending.sentence} ({self.ending.end_reason})",
            f"Watched {clock(self.watched_ms / 1000)}, spent {points(self.charges.spent_millipoints)}, {left}.",
            f"Session {', '.join(self.charges.session_ids)}",
        ]
        if self.charges.reserved_millipoints:
            lines.insert(2, reserve_sentence(self.charges.reserved_millipoints))
        elif self.ending.end_reason in PAID_UP and self.charges.spent_millipoints:
            lines.insert(2, AHEAD_SENTENCE)
        if not self.settled:
            lines.insert(2, "The server did not confirm the end; it ends the session by itself. See: player ledger")
        if self.ending.message:
            lines.append(message_line(self.ending.message))
        return lines

    def as_json(self) -> str:
        """Return the receipt as one line of JSON."""
        return json.dumps(
            {
                "end_reason": self.ending.end_reason,
                "exit_status": int(self.ending.exit_status),
                "message": self.ending.sentence,
                "operator_message": self.ending.message or None,
                "stream_id": self.stream_id,
                "session_ids": self.charges.session_ids,
                "watched_ms": self.watched_ms,
                "spent_millipoints": self.charges.spent_millipoints,
                "reserved_millipoints": self.charges.reserved_millipoints,
                "balance_millipoints": self.charges.balance_millipoints,
                "frames_shown": self.frames_shown,
                "settled": self.settled,
            }
        )
