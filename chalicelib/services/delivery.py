"""Whether a stream reaches its viewers: asked at every heartbeat, so it is read through a short cache."""

from chalicelib.domain.streams import DesiredState, Runtime, is_delivered
from chalicelib.ports import Clock, Runtimes, Streams

CACHE_MS = 1_000
CACHE_STREAMS_MAX = 1_000


class Delivery:
    """Desired state and runtime of streams, at most `CACHE_MS` old."""

    def __init__(self, streams: Streams, runtimes: Runtimes, clock: Clock) -> None:
        self._streams = streams
        self._runtimes = runtimes
        self._clock = clock
        self._runtime_seen: dict[str, tuple[int, Runtime | None]] = {}
        self._desired_seen: dict[str, tuple[int, DesiredState | None]] = {}

    def is_delivered(self, stream_id: str) -> bool:
        """Runtime `live` under a claim that has not expired."""
        now_ms = self._clock.now_ms()
        seen = self._runtime_seen.get(stream_id)
        if seen is None or not 0 <= now_ms - seen[0] < CACHE_MS:
            _make_room(self._runtime_seen)
            seen = self._runtime_seen[stream_id] = (now_ms, self._runtimes.get(stream_id))
        return is_delivered(seen[1], now_ms)

    def desired(self, stream_id: str) -> DesiredState | None:
        """What the operator asked for; None where there is no such stream."""
        now_ms = self._clock.now_ms()
        seen = self._desired_seen.get(stream_id)
        if seen is None or not 0 <= now_ms - seen[0] < CACHE_MS:
            _make_room(self._desired_seen)
            stream = self._streams.get(stream_id)
            seen = self._desired_seen[stream_id] = (now_ms, stream.desired_state if stream else None)
        return seen[1]


def _make_room(cache: dict[str, tuple[int, Runtime | None]] | dict[str, tuple[int, DesiredState | None]]) -> None:
    if len(cache) >= CACHE_STREAMS_MAX:
        cache.clear()
