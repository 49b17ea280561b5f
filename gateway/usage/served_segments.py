"""The segments that one session was served."""

import re
from typing import Any

from chalicelib.domain.money.served_spans import SPANS_MAX, Span
from gateway.usage.media_responses import MediaResponse
from gateway.usage.segment_parts import SegmentParts, StoredParts

NUMBER = re.compile(r"(.*-)?([0-9]{1,18})")
# Segments that were served in part. Beyond it, the one that has waited longest for its rest counts as whole.
PARTIAL_MAX = 64
# Of these, the newest are stored for other gateways, which serve the rest after a connection broke.
PARTIAL_STORED = 8

# The stored form of `ServedSegments`: time of the last response, spans, stream, and parts by segment.
StoredSegments = tuple[int, list[list[Any]], str, dict[str, StoredParts]]


class ServedSegments:
    """The segments that a session was served, as spans of numbers. Continuous playback extends one span."""

    def __init__(
        self,
        at_ms: int = 0,
        spans: list[list[Any]] | None = None,
        stream_id: str = "",
        parts: dict[str, StoredParts] | None = None,
    ) -> None:
        self.at_ms = at_ms
        self.stream_id = stream_id
        # [text before the number, first number, last number, media time], the one that changed last at the end.
        self._spans: list[list[Any]] = spans or []
        # The segment that changed last is at the end.
        self._parts = {segment: SegmentParts(*each) for segment, each in (parts or {}).items()}

    def add(self, response: MediaResponse) -> tuple[int, int]:
        """Add a response. Return the growth of the media time, and of the number of segments of which any is counted.

        Media time counts once, whatever the rendition. The sum over all responses for a segment is at most its media
        time, and that exactly once all of it was sent.
        """
        if response.segment is None or self._is_whole(response.segment):
            return 0, 0
        parts = self._parts.pop(response.segment, None)
        counted_ms = parts.counted_ms if parts else 0
        if response.is_whole:
            grown_ms = self._make_whole(response.segment, max(counted_ms, response.media_ms), counted_ms)
        else:
            parts = parts or SegmentParts(response.segment_size, response.media_ms)
            grown_ms = parts.add(response.first_byte, response.first_byte + response.body_size, response.segment_size)
            if parts.is_whole:
                self._make_whole(response.segment, parts.media_ms, parts.media_ms)
            else:
                self._parts[response.segment] = parts
        grown_segments = int(not counted_ms and grown_ms > 0)
        if len(self._parts) > PARTIAL_MAX:
            oldest = next(iter(self._parts))
            parts = self._parts.pop(oldest)
            grown_segments += not parts.counted_ms
            grown_ms += self._make_whole(oldest, parts.media_ms, parts.counted_ms)
        return grown_ms, grown_segments

    def _is_whole(self, segment: str) -> bool:
        prefix, number = _numbered(segment)
        return any(span[0] == prefix and span[1] <= number <= span[2] for span in self._spans)

    def _make_whole(self, segment: str, media_ms: int, counted_ms: int) -> int:
        """Add a segment to the spans and return the growth. Of a session that seeks, keep the newest spans."""
        prefix, number = _numbered(segment)
        first = last = number
        total_ms = media_ms
        for span in [each for each in self._spans if each[0] == prefix]:
            if number in (span[1] - 1, span[2] + 1):
                first, last, total_ms = min(first, span[1]), max(last, span[2]), total_ms + span[3]
                self._spans.remove(span)
        self._spans.append([prefix, first, last, total_ms])
        del self._spans[:-SPANS_MAX]
        return media_ms - counted_ms

    def spans(self) -> list[Span]:
        """Return the spans, and the newest partial segments, for other gateways' usage of the same session."""
        newest = list(self._parts.items())[-PARTIAL_STORED:]
        partial = [
            Span(*_numbered(segment), _numbered(segment)[1], parts.counted_ms, parts.media_ms)
            for segment, parts in newest
            if parts.counted_ms
        ]
        return [Span(*each) for each in self._spans] + partial

    def stored(self) -> StoredSegments:
        """Return the stored form."""
        parts = {segment: each.stored() for segment, each in self._parts.items()}
        return self.at_ms, self._spans, self.stream_id, parts


def _numbered(segment: str) -> tuple[str, int]:
    """Return the text before a segment's number, and the number. A name without a number is a text of its own."""
    found = NUMBER.fullmatch(segment)
    return (found[1] or "", int(found[2])) if found else (segment + "/", 0)
