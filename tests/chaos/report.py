"""What a run showed: a table of its events, and what in it must not be. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos.events import Happened
from tests.chaos.follower import Arrival
from tests.chaos.picture import Stall
from tests.chaos.plan import Kind
from worker.claims import TTL_MS

STALL_S_MAX = 5.0
HEAD = f"{'event':<15} {'at s':>6} {'recovery s':>10} {'silence s':>9} {'discont.':>8} {'stalls':>6} {'longest s':>9}"


@dataclass(frozen=True)
class Row:
    """An event and what came of it until the next one. `silence_s`: the longest time without a new segment."""

    kind: Kind
    at_s: float
    recovered_s: float | None
    silence_s: float
    discontinuities: int
    stalls_s: tuple[float, ...]

    def __str__(self) -> str:
        recovered = "never" if self.recovered_s is None else f"{self.recovered_s:.1f}"
        longest = f"{max(self.stalls_s):.1f}" if self.stalls_s else "-"
        return (
            f"{self.kind:<15} {self.at_s:>6.0f} {recovered:>10} {self.silence_s:>9.1f} {self.discontinuities:>8}"
            f" {len(self.stalls_s):>6} {longest:>9}"
        )


def rows(
    events: Sequence[Happened], arrivals: Sequence[Arrival], stalls: Sequence[Stall], began_s: float, over_s: float
) -> list[Row]:
    """A row an event; a stall belongs to the event before it."""
    ends = [event.began_at_s for event in events[1:]] + [over_s]
    found = []
    for event, until_s in zip(events, ends, strict=True):
        since_s = event.began_at_s
        before = [arrival for arrival in arrivals if arrival.at_s <= since_s]
        within = [arrival for arrival in arrivals if since_s < arrival.at_s <= until_s]
        # Segments that came at once stand at the same moment.
        times = [arrival.at_s for arrival in before[-1:] + within] + [until_s] * (not within)
        numbers = [arrival.named.discontinuity for arrival in before[-1:] + within]
        found.append(
            Row(
                kind=event.kind,
                at_s=since_s - began_s,
                recovered_s=event.recovered_s,
                silence_s=max((after - at for at, after in pairwise(times)), default=0.0),
                discontinuities=numbers[-1] - numbers[0] if numbers else 0,
                stalls_s=tuple(stall.length_s for stall in stalls if since_s <= stall.since_s < until_s),
            )
        )
    return found


def unavoidable_s(kind: Kind, uploads_fail_s: float) -> float:
    """For how long there is nothing that a playlist could name, whatever our code does."""
    return {Kind.UPLOADS: uploads_fail_s, Kind.FREEZE: TTL_MS / 1000}.get(kind, 0.0)


def broken_goals(found: Sequence[Row], uploads_fail_s: float) -> list[str]:
    """At most one stall an event, of 5 s at most beyond what the playlist lacked."""
    broken = []
    for row in found:
        allowed_s = STALL_S_MAX + unavoidable_s(row.kind, uploads_fail_s)
        place = f"{row.kind} at {row.at_s:.0f} s"
        if len(row.stalls_s) > 1:
            broken.append(f"{place}: {len(row.stalls_s)} stalls ({', '.join(f'{s:.1f} s' for s in row.stalls_s)})")
        if max(row.stalls_s, default=0.0) > allowed_s:
            broken.append(f"{place}: a stall of {max(row.stalls_s):.1f} s, {allowed_s:.0f} s are allowed")
    return broken


def notes(uploads_fail_s: float) -> list[str]:
    """What the goal cannot mean."""
    return [
        f"While uploads fail ({uploads_fail_s:.0f} s) nothing can be named, and what is not named cannot be played:",
        f"  the stall that follows is held against {uploads_fail_s:.0f} s + {STALL_S_MAX:.0f} s.",
        f"A frozen worker keeps its claim for up to {TTL_MS / 1000:.0f} s, and until then no other worker may publish:",
        f"  that stall is held against {TTL_MS / 1000:.0f} s + {STALL_S_MAX:.0f} s.",
    ]
