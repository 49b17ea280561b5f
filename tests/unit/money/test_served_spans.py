"""Segments that several gateways served count once."""

from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, sets, tuples

from chalicelib.domain.money.served_spans import SPANS_MAX, TEXT_MAX, Overlap, Span, from_text, overlap_of, to_text

MS = 2_002


def spans_of(numbers, prefix="1-1-"):
    """Return the spans of these segments."""
    spans = []
    for number in sorted(numbers):
        if spans and spans[-1].last == number - 1:
            spans[-1] = Span(prefix, spans[-1].first, number, spans[-1].media_ms + MS)
        else:
            spans.append(Span(prefix, number, number, MS))
    return spans


GATEWAYS = lists(tuples(sets(integers(0, 40)), sets(integers(0, 20))), max_size=4)


@given(GATEWAYS)
def test_the_sum_without_the_overlap_is_the_union(gateways):
    followers = [[*spans_of(one), *spans_of(two, "2-1-")] for one, two in gateways]
    added = sum(span.media_ms for spans in followers for span in spans)
    union = sum(len(set().union(*numbers)) for numbers in zip(*gateways, strict=True))
    overlap = overlap_of(from_text(to_text(spans)) for spans in followers)
    assert (added - overlap.media_ms, overlap.media_ms) == (union * MS, overlap.segments * MS)


def test_one_follower_has_no_overlap_and_segments_of_different_length_have_an_average():
    span = Span("1-1-", 1, 10, 10_000)
    assert overlap_of([]) == overlap_of([[span]]) == overlap_of([[span], []]) == Overlap(0, 0)
    assert overlap_of([[span], [Span("1-2-", 1, 10, 10_000)]]) == Overlap(0, 0)
    assert overlap_of([[span], [Span("1-1-", 8, 12, 7_500)]]) == Overlap(4_500, 3)
    assert overlap_of([[span], [span], [span]]) == Overlap(20_000, 20)


def part(media_ms, number=5):
    return Span("1-1-", number, number, media_ms, MS)


def test_a_part_counts_nothing_beside_the_whole_and_with_other_parts_at_most_the_segment():
    whole = Span("1-1-", 1, 10, 10 * MS)
    assert overlap_of([[part(900)], [whole]]) == overlap_of([[whole], [part(900)]]) == Overlap(900, 1)
    assert overlap_of([[part(900)], [whole], [part(900)]]) == Overlap(1_800, 2)
    assert overlap_of([[part(900)], [part(900)]]) == Overlap(0, 1), "they may be different parts"
    assert overlap_of([[part(1_500)], [part(1_500)]]) == Overlap(3_000 - MS, 1)
    assert overlap_of([[part(1_500)], [part(1_500)], [part(700)]]) == Overlap(3_700 - MS, 2)
    assert overlap_of([[part(900)], [part(900, number=6)]]) == Overlap(0, 0)


SPANS = lists(
    tuples(
        sampled_from(["", "1-1-", "x" * 60 + "-", "name/"]), integers(0, 10**18), integers(0, 99), integers(1, 10**9)
    ),
    max_size=99,
)


@given(SPANS)
def test_the_stored_form_is_bounded_and_keeps_the_newest(values):
    spans = [Span(prefix, first, first + more, media_ms, more) for prefix, first, more, media_ms in values]
    text = to_text(spans)
    kept = from_text(text)
    assert len(text) <= TEXT_MAX and len(kept) <= SPANS_MAX
    assert kept == spans[len(spans) - len(kept) :]
    assert len(kept) == min(len(spans), SPANS_MAX) or len(text) > TEXT_MAX - 110


def test_a_session_that_plays_on_needs_a_short_text():
    assert to_text([Span("1-1-", 4_000, 5_800, 3_600_000)]) == "1-1-,4000,5800,3600000"
