"""Small fakes: a clock that is set, counters that count, switches for delivery."""

from collections import Counter
from collections.abc import Mapping

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.streams.runtime import Outage
from chalicelib.services.money.delivery_cache import DeliveryStatus


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

    def add(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount

    def flush_if_due(self) -> None:
        pass

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        return {to_minute: self.counts}


class RecordingDenylist:
    def __init__(self) -> None:
        self.sessions: dict[str, EndReason] = {}
        self.streams: dict[str, EndReason] = {}

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        self.sessions[session_id] = reason

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        self.streams[stream_id] = reason

    def allow_stream(self, stream_id: str) -> None:
        self.streams.pop(stream_id, None)

    def sweep(self, now_ms: int) -> int:
        return 0


class Switch:
    """A stub of `DeliveryCache`: on or off, with the outages that are set."""

    def __init__(self) -> None:
        self.on = True
        self.outages: tuple[Outage, ...] = ()

    def status(self, stream_id: str, *, fresh: bool = False) -> DeliveryStatus:
        return DeliveryStatus(delivered=self.on, outages=self.outages)
