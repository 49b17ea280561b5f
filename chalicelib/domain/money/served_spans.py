"""Which segments of a session each gateway served, so that one that two gateways served counts once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

SPANS_MAX = 64
# Two kilobytes of a row, which cost as much as the row's other attributes twice over. A span takes about 20.
TEXT_MAX = 2_048


class Span(NamedTuple):
    """Whole segments with consecutive numbers, or a part of one segment.

    `prefix` is the name before the number. `media_ms` is what was counted for all of them. `segment_ms` is 0 for whole
    segments, and the duration of the segment for a part of it.
    """

    prefix: str
    first: int
    last: int
    media_ms: int
    segment_ms: int = 0

    @property
    def segments(self) -> int:
        """The number of segments."""
        return self.last - self.first + 1


class Overlap(NamedTuple):
    """What the sum of all gateways counts more than once."""

    media_ms: int
    segments: int


def to_text(spans: Sequence[Span]) -> str:
    """Return the stored form of spans, without the first (oldest) ones if there are more than it holds."""
    texts: list[str] = []
    length = 0
    for span in reversed(spans[-SPANS_MAX:]):
        text = ",".join(str(value) for value in (span if span.segment_ms else span[:4]))
        length += len(text) + 1
        if length > TEXT_MAX:
            break
        texts.append(text)
    return ";".join(reversed(texts))


def from_text(text: str) -> list[Span]:
    """Return the spans of a stored form."""
    parts = [each.split(",") for each in text.split(";") if each]
    return [Span(prefix, *(int(number) for number in numbers)) for prefix, *numbers in parts]


def overlap_of(followers: Iterable[Sequence[Span]]) -> Overlap:
    """Return by how much the sum over these followers exceeds the union of what their gateways served.

    A segment that several served whole counts once, at the average duration of the span that is left out. A part of a
    segment that another gateway served whole counts nothing. Parts of two gateways may be different parts, so they
    count both, but together at most the segment.
    """
    media_ms = segments = 0
    united: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    parts: list[Span] = []
    for spans in followers:
        parts += [span for span in spans if span.segment_ms]
        for span in (span for span in spans if not span.segment_ms):
            fresh = _without(united[span.prefix], span)
            common = span.segments - sum(last - first + 1 for first, last in fresh)
            segments += common
            media_ms += span.media_ms * common // span.segments
            united[span.prefix] += fresh
    counted: Counter[tuple[str, int]] = Counter()
    for part in sorted(parts, key=lambda part: part.segment_ms):
        key, number = (part.prefix, part.first), part.first
        is_whole_elsewhere = any(first <= number <= last for first, last in united[part.prefix])
        beyond_ms = counted[key] + part.media_ms - (0 if is_whole_elsewhere else part.segment_ms)
        segments += is_whole_elsewhere or key in counted
        media_ms += max(0, min(part.media_ms, beyond_ms))
        counted[key] += part.media_ms - max(0, min(part.media_ms, beyond_ms))
    return Overlap(media_ms, segments)


def _without(known: Iterable[tuple[int, int]], span: Span) -> list[tuple[int, int]]:
    """Return the ranges of a span that no known range, which do not overlap each other, contains."""
    fresh, first = [], span.first
    for known_first, known_last in sorted(known):
        if known_last < first or known_first > span.last:
            continue
        if known_first > first:
            fresh.append((first, known_first - 1))
        first = known_last + 1
    if first <= span.last:
        fresh.append((first, span.last))
    return fresh
