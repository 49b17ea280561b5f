"""The report of a run: a table of events, and the broken goals. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos.events import EventResult
from tests.chaos.follower import Arrival
from tests.chaos.picture_sampler import Stall
from tests.chaos.plan import Kind
from worker.claims import TTL_MS

STALL_S_MAX = 5.0
HEAD = f"{'event':<15} {'at s':>6} {'recovery s':>10} {'silence s':>9} {'discont.':>8} {'stalls':>6} {'longest s':>9}"


@dataclass(frozen=True)
class Row:
    """An event and its effects until the next one. `silence_s` is the longest time without a new segment."""

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
    events: Sequence[EventResult], arrivals: Sequence[Arrival], stalls: Sequence[Stall], began_s: float, over_s: float
) -> list[Row]:
    """Return one row an event. A stall belongs to the event before it."""
    ends = [event.began_at_s for event in events[1:]] + [over_s]
    found = []
    for event, until_s in zip(events, ends, strict=True):
        since_s = event.began_at_s
        before = [arrival for arrival in arrivals if arrival.at_s <= since_s]
        within = [arrival for arrival in arrivals if since_s < arrival.at_s <= until_s]
        # Segments that arrive together have the same time.
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
    """Return the time in which no worker can publish a segment."""
    return {Kind.UPLOADS: uploads_fail_s, Kind.FREEZE: TTL_MS / 1000}.get(kind, 0.0)


def broken_goals(found: Sequence[Row], uploads_fail_s: float) -> list[str]:
    """Return the goals that were broken: one stall an event, of 5 s beyond the unavoidable time."""
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
    """Explain the exceptions from the goals."""
    return [
        f"While uploads fail ({uploads_fail_s:.0f} s) no segment can be published:",
        f"  a stall of {uploads_fail_s:.0f} s + {STALL_S_MAX:.0f} s is allowed.",
        f"A frozen worker keeps its claim for up to {TTL_MS / 1000:.0f} s, and no other may publish until then:",
        f"  a stall of {TTL_MS / 1000:.0f} s + {STALL_S_MAX:.0f} s is allowed.",
    ]
