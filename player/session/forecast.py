"""What a viewing would cost and when it would be cut off, reckoned beforehand: `player play STREAM --dry-run`."""

import time
from dataclasses import dataclass
from typing import Any

from player.outcome import Ending
from player.terminal.formats import clock, points, printable, rate, short_amount, table, time_of_day, when

DAY_S = 86_400
BYTES_PER_MB = 1_000_000
BITS_PER_BYTE = 8
SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True)
class Forecast:
    """A stream and a wallet as the server tells them, the viewer's own limit, and the time (seconds) of the asking."""

    stream: dict[str, Any]
    wallet: dict[str, Any]
    max_points: int | None
    now_s: float

    @property
    def rate(self) -> int:
        """What watching costs, in millipoints per minute."""
        return int(self.stream["rate_millipoints_per_minute"])

    @property
    def is_live(self) -> bool:
        """Whether the stream could be started now."""
        return bool(self.stream["state"] == "live")

    @property
    def cap_rest_millipoints(self) -> int | None:
        """What the daily cap leaves for today, None without a cap."""
        cap = self.wallet["daily_cap_millipoints"]
        return None if cap is None else max(0, cap - self.wallet["spent_today_millipoints"])

    @property
    def others_rate(self) -> int:
        """What is being watched already, in millipoints per minute: it lives on the same balance and the same cap."""
        return sum(session.get("rate_millipoints_per_minute") or 0 for session in self.wallet.get("sessions") or [])

    def cut_off(self) -> tuple[str, float] | None:
        """Return the end reason that comes first and in how many seconds; None where watching is free."""
        if not self.rate:
            return None
        shared = self.rate + self.others_rate
        ends = [("balance_exhausted", self.wallet["balance_millipoints"] * 60 / shared)]
        if self.max_points is not None:
            ends.append(("max_points_reached", self.max_points * 1000 * 60 / self.rate))
        ends += self._at_the_cap(shared)
        return min(ends, key=lambda end: end[1])

    def _at_the_cap(self, rate: int) -> list[tuple[str, float]]:
        cap, rest = self.wallet["daily_cap_millipoints"], self.cap_rest_millipoints
        if cap is None or rest is None:
            return []
        until_s, day_left_s = rest * 60 / rate, self.wallet["day_ends_at_ms"] / 1000 - self.now_s
        if until_s < day_left_s:
            return [("daily_cap_reached", until_s)]
        a_day_s = cap * 60 / rate
        return [("daily_cap_reached", day_left_s + a_day_s)] if a_day_s < DAY_S else []

    def renditions(self) -> list[dict[str, Any]]:
        """Return the stream's renditions, each with what an hour of it brings over the network."""
        return [
            {**one, "mb_per_hour": round(one["bitrate_bps"] * SECONDS_PER_HOUR / BITS_PER_BYTE / BYTES_PER_MB, 1)}
            for one in self.stream.get("renditions") or []
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the forecast for scripts."""
        cut_off = self.cut_off()
        return {
            "stream_id": self.stream["stream_id"],
            "state": self.stream["state"],
            "live": self.is_live,
            "rate_millipoints_per_minute": self.rate,
            "millipoints_per_hour": self.rate * 60,
            "balance_millipoints": self.wallet["balance_millipoints"],
            "daily_cap_rest_millipoints": self.cap_rest_millipoints,
            "max_points": self.max_points,
            "cut_off": cut_off
            and {
                "end_reason": cut_off[0],
                "in_seconds": int(cut_off[1]),
                "at_ms": round((self.now_s + cut_off[1]) * 1000),
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
        if self.cap_rest_millipoints is not None:
            cap = short_amount(self.wallet["daily_cap_millipoints"])
            lines.append(f"Today:   {points(self.cap_rest_millipoints)} left of the daily cap ({cap})")
        if self.others_rate:
            lines.append(f"Besides: {rate(self.others_rate)} for what you watch already")
        lines += [self._end_line(), *self._data(width), "Nothing was started, and nothing was charged."]
        return lines

    def _end_line(self) -> str:
        cut_off = self.cut_off()
        if cut_off is None:
            return "End:     none by points: it is free."
        reason, seconds = cut_off
        why = f"{Ending.of_reason(reason).sentence} ({reason})"
        if seconds < 1:
            return f"End:     at once. {why}"
        at_ms = round((self.now_s + seconds) * 1000)
        moment = time_of_day(at_ms) if seconds < DAY_S else when(at_ms)
        return f"End:     at {moment}, in {clock(seconds)}. {why}"

    def _data(self, width: int) -> list[str]:
        rows = [
            [printable(str(one["name"])), f"{one['width']}x{one['height']}", f"{one['mb_per_hour']:.0f}"]
            for one in self.renditions()
        ]
        return ["", *table(("RENDITION", "SIZE", "MB/HOUR"), rows, width, right=(2,)), ""] if rows else []


def forecast(stream: dict[str, Any], wallet: dict[str, Any], max_points: int | None) -> Forecast:
    """Return the forecast for a start at this moment. The local clock is used for the time of day only."""
    return Forecast(stream, wallet, max_points, time.time())
