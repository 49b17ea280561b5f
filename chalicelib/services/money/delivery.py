"""Whether a stream reaches its viewers: asked at every heartbeat, so it is read through a short cache."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chalicelib.domain.streams.outages import outages_of
from chalicelib.domain.streams.pacing import Pace
from chalicelib.domain.streams.runtime import Outage, Runtime, is_delivered
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream
from chalicelib.ports import Clock, Runtimes, Streams

CACHE_MS = 1_000
CACHE_STREAMS_MAX = 1_000

Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class DeliveryStatus:
    """Whether a stream reaches its viewers now, and when it did not: oldest first, the last maybe still going on."""

    delivered: bool
    outages: tuple[Outage, ...]


class Delivery:
    """Desired state and runtime of streams, at most `CACHE_MS` old."""

    def __init__(self, streams: Streams, runtimes: Runtimes, clock: Clock) -> None:
        self._streams = streams
        self._runtimes = runtimes
        self._clock = clock
        self._runtimes_seen: _Cache[Runtime | None] = _Cache(clock)
        self._streams_seen: _Cache[Stream | None] = _Cache(clock)

    def status(self, stream_id: str, *, fresh: bool = False) -> DeliveryStatus:
        """Delivered is a runtime `live` under a claim that has not expired. `fresh` reads past the cache."""
        runtime = self._runtimes_seen.get(stream_id, lambda: self._runtimes.get(stream_id), fresh=fresh)
        now_ms = self._clock.now_ms()
        return DeliveryStatus(delivered=is_delivered(runtime, now_ms), outages=outages_of(runtime, now_ms))

    def desired(self, stream_id: str) -> DesiredState | None:
        """What the operator asked for; None where there is no such stream."""
        stream = self._stream(stream_id)
        return stream.desired_state if stream else None

    def binding(self, stream_id: str) -> SessionBinding:
        """What the operator wants of a session that is watched from elsewhere."""
        stream = self._stream(stream_id)
        return stream.session_binding if stream else SessionBinding.OFF

    def pace(self, stream_id: str) -> Pace:
        """How fast its segments may be fetched."""
        stream = self._stream(stream_id)
        return stream.pace if stream else Pace.LONG

    def _stream(self, stream_id: str) -> Stream | None:
        return self._streams_seen.get(stream_id, lambda: self._streams.get(stream_id))


class _Cache(Generic[Seen]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[int, Seen]] = {}

    def get(self, stream_id: str, read: Callable[[], Seen], *, fresh: bool = False) -> Seen:
        now_ms = self._clock.now_ms()
        known = self._seen.get(stream_id)
        if known is None or fresh or not 0 <= now_ms - known[0] < CACHE_MS:
            if len(self._seen) >= CACHE_STREAMS_MAX:
                self._seen.clear()
            known = self._seen[stream_id] = (now_ms, read())
        return known[1]
