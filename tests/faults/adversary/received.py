"""What a client received: distinct media time by session, counted from the bytes that arrived, not from any log."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

Span = tuple[float, float]
# The part of a segment that is as good as the whole.
ENOUGH = 0.95


@dataclass(frozen=True)
class Segment:
    """A segment as a playlist names it. `path` is relative to the session's address; the duration is its EXTINF."""

    path: str
    duration_ms: float

    @property
    def name(self) -> str:
        """The name without the rendition: the same time in another quality is the same media."""
        return self.path.rpartition("/")[2]


@dataclass
class _Parts:
    duration_ms: float
    spans: list[Span] = field(default_factory=list)

    @property
    def media_ms(self) -> float:
        return self.duration_ms * length(self.spans)


class Received:
    """The parts of segments that a client received. A part of the bytes is the same part of the media time."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[str, _Parts]] = {}
        self._lock = threading.Lock()

    def add(self, session_id: str, segment: Segment, first: int, count: int, size: int) -> None:
        """Count bytes of a segment of `size` bytes: `count` of them from the byte `first` on."""
        if count <= 0 or size <= 0:
            return
        with self._lock:
            parts = self._sessions.setdefault(session_id, {}).setdefault(segment.name, _Parts(segment.duration_ms))
            parts.spans = union([*parts.spans, (first / size, min(size, first + count) / size)])

    def has(self, session_id: str, segment: Segment) -> bool:
        """Return whether the session received so much of this segment that no more is worth a request."""
        with self._lock:
            parts = self._sessions.get(session_id, {}).get(segment.name)
            return parts is not None and length(parts.spans) > ENOUGH

    def by_session_ms(self) -> dict[str, float]:
        """Return the distinct media time of each session that received some."""
        with self._lock:
            return {key: sum(each.media_ms for each in found.values()) for key, found in self._sessions.items()}

    def distinct_ms(self) -> float:
        """Return the media time that is distinct over all sessions."""
        merged: dict[str, _Parts] = {}
        with self._lock:
            for found in self._sessions.values():
                for name, parts in found.items():
                    whole = merged.setdefault(name, _Parts(parts.duration_ms))
                    whole.spans = union([*whole.spans, *parts.spans])
        return sum(each.media_ms for each in merged.values())


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch as one."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def length(spans: Iterable[Span]) -> float:
    """Return the sum of the lengths of spans that do not overlap."""
    return sum(last - first for first, last in spans)
