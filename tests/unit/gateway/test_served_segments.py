"""Parts of segments count in proportion to their bytes, each byte once, and together at most the segment."""

import json

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, integers, lists, sampled_from, tuples

from chalicelib.domain.money.served_spans import SPANS_MAX, Span
from gateway.usage import segment_parts
from gateway.usage.media_responses import MediaResponse
from gateway.usage.segment_parts import INTERVALS_MAX, SegmentParts
from gateway.usage.served_segments import PARTIAL_MAX, PARTIAL_STORED, ServedSegments

MS = 2_002
SIZE = 1_000


def response(number=1, first=0, end=SIZE, *, size=SIZE, whole=False, media_ms=MS):
    sent = {"segment_size": size, "first_byte": first, "body_size": end - first, "is_whole": whole}
    return MediaResponse(session_id="a", segment=f"1-1-{number:06d}", media_ms=media_ms, size=0, at_ms=1, **sent)


def restarted(session):
    return ServedSegments(*json.loads(json.dumps(session.stored())))


def counted(*responses, session=None):
    """Return the media time and the segments that these responses add."""
    session = session or ServedSegments()
    grown = [session.add(each) for each in responses]
    return sum(ms for ms, _ in grown), sum(segments for _, segments in grown)


PARTS = lists(tuples(integers(0, 3), integers(0, SIZE - 1), integers(1, SIZE), booleans()), max_size=30)


@given(PARTS)
def test_the_sum_is_exactly_the_share_of_the_distinct_bytes(parts):
    session, sent, total_ms, segments = ServedSegments(), {}, 0, 0
    for number, first, length, whole in parts:
        end = SIZE if whole else min(SIZE, first + length)
        first = 0 if whole else first
        grown_ms, grown = session.add(response(number, first, end, whole=whole))
        session = restarted(session)
        total_ms, segments = total_ms + grown_ms, segments + grown
        sent.setdefault(number, set()).update(range(first, end))
        assert grown_ms >= 0
        assert total_ms == sum(MS * len(each) // SIZE for each in sent.values())
    assert segments == sum(MS * len(each) // SIZE > 0 for each in sent.values())
    spans = session.spans()
    assert sum(span.media_ms for span in spans) == total_ms
    assert sum(span.segments for span in spans if not span.segment_ms) == sum(len(e) == SIZE for e in sent.values())


RANGES = lists(tuples(integers(0, 9_999), integers(1, 9_999), sampled_from((1, 7, 640, 1_000, 9_999))), max_size=99)


@given(RANGES)
def test_many_ranges_of_renditions_need_bounded_memory_and_never_count_more_than_the_segment(ranges):
    parts, total_ms = SegmentParts(1_000, MS), 0
    for first, length, size in ranges:
        grown_ms = parts.add(first, first + length, size)
        assert grown_ms >= 0
        total_ms += grown_ms
        assert len(parts.stored()[3]) <= INTERVALS_MAX
    assert total_ms == parts.counted_ms <= MS
    assert parts.counted_ms < MS or parts.is_whole


def test_ranges_beyond_the_limit_fill_the_smallest_gap(monkeypatch):
    monkeypatch.setattr(segment_parts, "INTERVALS_MAX", 2)
    parts = SegmentParts(100, 1_000)
    assert [parts.add(*each, 100) for each in ((0, 10), (50, 60), (65, 70))] == [100, 100, 100]
    assert parts.stored() == (100, 1_000, 300, [[0, 10], [50, 70]])


def test_a_broken_transfer_counts_in_part_and_its_repetition_the_rest():
    broken, rest, again = response(end=600), response(first=600), response(end=600)
    assert counted(broken) == (MS * 6 // 10, 1)
    assert counted(broken, again) == (MS * 6 // 10, 1)
    assert counted(broken, rest) == counted(broken, rest, again, response(whole=True)) == (MS, 1)
    assert counted(broken, response(whole=True)) == counted(response(whole=True), broken) == (MS, 1)
    assert counted(response(end=0), response(first=SIZE, end=SIZE + 9)) == (0, 0), "no byte of the segment"


def test_renditions_of_different_sizes_are_united_in_relation_to_their_sizes():
    halves = response(end=500), response(first=200, end=400, size=400)
    assert counted(*halves) == counted(*reversed(halves)) == (MS, 1)
    assert counted(response(end=500), response(end=200, size=400)) == (MS // 2, 1), "the same half"
    assert counted(response(end=500), response(size=400, whole=True)) == (MS, 1)
    # The renditions of a segment may differ by a picture.
    assert counted(response(end=500, media_ms=2_000), response(whole=True, media_ms=2_040)) == (2_040, 1)
    assert counted(response(end=900, media_ms=2_000), response(whole=True, media_ms=1_000)) == (1_800, 1)


def test_a_session_that_breaks_off_often_needs_bounded_memory_and_no_segment_counts_twice():
    session = ServedSegments()
    firsts = [response(number * 2, end=1) for number in range(PARTIAL_MAX)]
    assert counted(*firsts, session=session) == (2 * PARTIAL_MAX, PARTIAL_MAX)
    # The oldest one counts as whole from now on.
    assert counted(response(999, end=1), session=session) == (2 + MS - 2, 1)
    assert counted(response(0), response(0, whole=True), session=restarted(session)) == (0, 0)
    assert len(session.stored()[3]) == PARTIAL_MAX
    spans = session.spans()
    assert spans[0] == Span("1-1-", 0, 0, MS) and spans[-1] == Span("1-1-", 999, 999, 2, MS)
    assert len(spans) == 1 + PARTIAL_STORED


def test_spans_that_meet_become_one_with_the_sum_of_their_time():
    session = ServedSegments()
    counted(*(response(number, whole=True, media_ms=number) for number in (5, 3, 9, 4)), session=session)
    assert session.spans() == [Span("1-1-", 9, 9, 9), Span("1-1-", 3, 5, 12)]
    counted(*(response(number * 2, whole=True) for number in range(500)), session=session)
    assert len(session.spans()) == SPANS_MAX


@pytest.mark.parametrize("size", [1, 2, 3, SIZE])
def test_single_bytes_in_any_order_add_up_to_the_segment(size):
    order = sorted(range(size), key=lambda byte: byte * 7 % size)
    if size > INTERVALS_MAX:
        order = range(size)
    assert counted(*(response(first=byte, end=byte + 1, size=size) for byte in order)) == (MS, 1)
