"""What a stream would cost, and when the session would end: `player play STREAM --dry-run`."""

from dataclasses import dataclass
from typing import Any

from player.endings import Ending
from player.terminal.formats import clock, points, rate, short_amount, time_of_day, when
from player.terminal.notices import debt_field
from player.terminal.tables import table
from player.terminal.text import printable

DAY_S = 86_400
BYTES_PER_MB = 1_000_000
BITS_PER_BYTE = 8
SECONDS_PER_HOUR = 3_600
FAIRNESS = (
    "When you stop, the unused time of the last seconds comes back. What was fetched ahead (up to 8 s) is paid. Points "
    "that you lack for it are paid first at your next start. What was paid and not delivered comes back by itself, "
    "within minutes."
)


@dataclass(frozen=True)
class Forecast:
    """A stream and a wallet as the server returns them, the viewer's own limit, and the current time in seconds."""

    stream: dict[str, Any]
    wallet: dict[str, Any]
    max_points: int | None
    now_s: float

    @property
    def rate(self) -> int:
        """The price in millipoints per minute."""
        return int(self.stream["rate_millipoints_per_minute"])

    @property
    def is_live(self) -> bool:
        """Whether a session could be started now."""
        return bool(self.stream["state"] == "live")

    @property
    def cap_left_millipoints(self) -> int | None:
        """The remaining millipoints of today's cap; None without a cap."""
        cap = self.wallet["daily_cap_millipoints"]
        return None if cap is None else max(0, cap - self.wallet["spent_today_millipoints"])

    @property
    def debt_millipoints(self) -> int:
        """What is open from earlier viewing. A start pays it first."""
        return int(self.wallet.get("debt_millipoints") or 0)

    @property
    def others_rate(self) -> int:
        """The price of the other active sessions, in millipoints per minute. They use the same balance and cap."""
        return sum(session.get("rate_millipoints_per_minute") or 0 for session in self.wallet.get("sessions") or [])

    def first_end(self) -> tuple[str, float] | None:
        """Return the first end reason and the seconds until then; None if watching is free."""
        if not self.rate:
            return None
        shared = self.rate + self.others_rate
        ends = [("balance_exhausted", max(0, self.wallet["balance_millipoints"] - self.debt_millipoints) * 60 / shared)]
        if self.max_points is not None:
            ends.append(("max_points_reached", self.max_points * 1000 * 60 / self.rate))
        ends += self._cap_end(shared)
        return min(ends, key=lambda end: end[1])

    def _cap_end(self, rate: int) -> list[tuple[str, float]]:
        cap, remaining = self.wallet["daily_cap_millipoints"], self.cap_left_millipoints
        if cap is None or remaining is None:
            return []
        until_s, day_left_s = remaining * 60 / rate, self.wallet["day_ends_at_ms"] / 1000 - self.now_s
        if until_s < day_left_s:
            return [("daily_cap_reached", until_s)]
        whole_cap_s = cap * 60 / rate
        return [("daily_cap_reached", day_left_s + whole_cap_s)] if whole_cap_s < DAY_S else []

    def renditions(self) -> list[dict[str, Any]]:
        """Return the stream's renditions, each with its megabytes per hour."""
        return [
            {**item, "mb_per_hour": round(item["bitrate_bps"] * SECONDS_PER_HOUR / BITS_PER_BYTE / BYTES_PER_MB, 1)}
            for item in self.stream.get("renditions") or []
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the forecast for scripts."""
        first_end = self.first_end()
        return {
            "stream_id": self.stream["stream_id"],
            "state": self.stream["state"],
            "live": self.is_live,
            "rate_millipoints_per_minute": self.rate,
            "millipoints_per_hour": self.rate * 60,
            "balance_millipoints": self.wallet["balance_millipoints"],
            "debt_millipoints": self.debt_millipoints,
            "daily_cap_rest_millipoints": self.cap_left_millipoints,
            "max_points": self.max_points,
            "cut_off": first_end
            and {
                "end_reason": first_end[0],
                "in_seconds": int(first_end[1]),
                "at_ms": round((self.now_s + first_end[1]) * 1000),
            },
            "renditions": self.renditions(),
        }

    def lines(self, width: int) -> list[str]:
        """Return the forecast for people, for a terminal of `width` cells."""
        name = printable(self.stream["stream_id"])
        lines = [f"{name}: {printable(self.stream['title'])}"]
        if not self.is_live:
            lines.append(f"It is not live now ({printable(self.stream['state'])}): a start would be refused.")
        hour = f", {short_amount(self.rate * 60)} points/hour" if self.rate else ""
        lines += [f"Cost:    {rate(self.rate)}{hour}", f"Balance: {points(self.wallet['balance_millipoints'])}"]
        if self.debt_millipoints:
            lines.append(f"Open:    {debt_field(self.debt_millipoints)}")
        if self.cap_left_millipoints is not None:
            cap = short_amount(self.wallet["daily_cap_millipoints"])
            lines.append(f"Today:   {points(self.cap_left_millipoints)} left of the daily cap ({cap})")
        if self.others_rate:
            lines.append(f"Besides: {rate(self.others_rate)} for your other sessions")
        lines += [self._end_line(), *self._rendition_table(width)]
        if self.rate:
            lines += [FAIRNESS, ""] if self.renditions() else ["", FAIRNESS, ""]
        return [*lines, "Nothing was started, and nothing was charged."]

    def _end_line(self) -> str:
        first_end = self.first_end()
        if first_end is None:
            return "End:     none by points: it is free."
        reason, seconds = first_end
        sentence = f"{Ending.of_reason(reason).sentence} ({reason})"
        if seconds < 1:
            return f"End:     at once. {sentence}"
        at_ms = round((self.now_s + seconds) * 1000)
        moment = time_of_day(at_ms) if seconds < DAY_S else when(at_ms)
        return f"End:     at {moment}, in {clock(seconds)}. {sentence}"

    def _rendition_table(self, width: int) -> list[str]:
        rows = [
            [printable(str(item["name"])), f"{item['width']}x{item['height']}", f"{item['mb_per_hour']:.0f}"]
            for item in self.renditions()
        ]
        return ["", *table(("RENDITION", "SIZE", "MB/HOUR"), rows, width, right=(2,)), ""] if rows else []
