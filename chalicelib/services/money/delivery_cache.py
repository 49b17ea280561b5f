"""A short cache of streams and their runtimes, for heartbeats, session starts and the authorization of media."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chalicelib.domain.streams.outages import outages_of
from chalicelib.domain.streams.runtime import Outage, Runtime, is_delivered
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream
from chalicelib.ports.common import Clock
from chalicelib.ports.streams.streams import Runtimes, Streams

CACHE_MS = 1_000
CACHE_STREAMS_MAX = 1_000

Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class DeliveryStatus:
    """Whether a stream is delivered now, and its outages, oldest first; the last may be open."""

    delivered: bool
    outages: tuple[Outage, ...]


class DeliveryCache:
    """Settings and delivery status of streams, at most `CACHE_MS` old."""

    def __init__(self, streams: Streams, runtimes: Runtimes, clock: Clock) -> None:
        self._streams = streams
        self._runtimes = runtimes
        self._clock = clock
        self._runtimes_seen: _Cache[Runtime | None] = _Cache(clock)
        self._streams_seen: _Cache[Stream | None] = _Cache(clock)

    def status(self, stream_id: str, *, fresh: bool = False) -> DeliveryStatus:
        """Return the delivery status. Delivered means live under a valid claim. `fresh` bypasses the cache."""
        runtime = self._runtimes_seen.get(stream_id, lambda: self._runtimes.get(stream_id), fresh=fresh)
        now_ms = self._clock.now_ms()
        return DeliveryStatus(delivered=is_delivered(runtime, now_ms), outages=outages_of(runtime, now_ms))

    def desired(self, stream_id: str) -> DesiredState | None:
        """Return the desired state; None for an unknown stream."""
        stream = self._stream(stream_id)
        return stream.desired_state if stream else None

    def binding(self, stream_id: str) -> SessionBinding:
        """Return the stream's policy for sessions that play elsewhere."""
        stream = self._stream(stream_id)
        return stream.session_binding if stream else SessionBinding.OFF

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
