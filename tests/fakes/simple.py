"""Small fakes: a clock that is set, counters that count, switches for delivery, and pages of lists."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from chalicelib.domain.operations.totals import rise_of
from chalicelib.domain.streams.runtime import Outage
from chalicelib.ports.common import ListPage
from chalicelib.services.money.delivery_cache import DeliveryStatus

Item = TypeVar("Item")


def page_of(rows: Iterable[Item], limit: int, cursor: str | None) -> ListPage[Item]:
    """Return a page of rows that nothing removes. The cursor is a position."""
    items, first = list(rows), int(cursor or 0)
    more = first + limit < len(items)
    return ListPage(items=items[first : first + limit], next_cursor=str(first + limit) if more else None)


class SetClock:
    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, ms: int) -> None:
        self.at_ms += ms


class MemoryCounters:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.risen: Counter[str] = Counter()
        self.set: dict[str, int] = {}

    def add(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount
        total, rise = rise_of(name, amount)
        self.risen[total] += rise

    def flush_if_due(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def totals(self) -> Mapping[str, int]:
        return self.risen

    def set_gauge(self, name: str, value: int) -> None:
        self.set[name] = value

    def gauges(self) -> Mapping[str, int]:
        return self.set

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        return {to_minute: self.counts}


class Switch:
    """A stub of `DeliveryCache`: on or off, with the outages that are set."""

    def __init__(self) -> None:
        self.on = True
        self.outages: tuple[Outage, ...] = ()

    def status(self, stream_id: str, *, fresh: bool = False) -> DeliveryStatus:
        return DeliveryStatus(delivered=self.on, outages=self.outages)
