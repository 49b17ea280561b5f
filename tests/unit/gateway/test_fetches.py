"""What lines of the log count for."""

import json

import pytest

from chalicelib.domain.usage import Served
from gateway import fetches
from gateway.fetches import IDLE_MS, Fold, fetch_of
from tests.unit.gateway.access_lines import DAY, A, B, line, segment

AT_MS = 1_795_341_600_000


def folded(*lines: bytes, fold: Fold | None = None) -> dict[str, Served]:
    fold = fold or Fold()
    for each in lines:
        found = fetch_of(each.rstrip(b"\n"))
        if found:
            fold.add(found)
    return fold.take()


def media_ms(*lines: bytes, fold: Fold | None = None) -> int:
    return folded(*lines, fold=fold)[A].media_ms


def test_a_segment_counts_for_its_session_and_its_day() -> None:
    served = Served(media_ms=2_000, media_bytes=1_000, segments=1, requests=1, first_at_ms=AT_MS, last_at_ms=AT_MS)
    assert folded(segment(1)) == {A: served, f"day:{DAY}": served}


def test_days_are_utc() -> None:
    found = folded(segment(1, at="2026-11-22T23:30:00-02:00"), segment(2, at="2026-11-22T23:59:59+00:00"))
    assert {key: each.segments for key, each in found.items()} == {A: 2, "day:2026-11-23": 1, "day:2026-11-22": 1}


def test_a_segment_counts_its_time_once_and_its_bytes_always() -> None:
    found = folded(segment(1), segment(1), segment(1, status=206), segment(2), segment(1))[A]
    assert (found.media_ms, found.segments, found.media_bytes, found.requests) == (4_000, 2, 5_000, 5)


def test_the_same_number_in_another_rendition_is_the_same_time() -> None:
    assert media_ms(line("720p/1-1-000007.ts"), line("480p/1-1-000007.ts"), line("480p/1-1-000008.ts")) == 4_000


def test_another_run_or_epoch_is_other_time() -> None:
    assert media_ms(line("720p/1-1-000007.ts"), line("720p/1-2-000007.ts"), line("720p/2-1-000007.ts")) == 6_000


def test_sessions_do_not_share() -> None:
    found = folded(segment(1, A), segment(1, B))
    assert found[A].media_ms == found[B].media_ms == 2_000
    assert found[f"day:{DAY}"].media_ms == 4_000


def test_a_segment_is_known_over_batches_and_restarts() -> None:
    fold = Fold()
    assert media_ms(segment(1), segment(2), fold=fold) == 4_000
    assert media_ms(segment(2), segment(3), fold=fold) == 2_000
    again = Fold(json.loads(json.dumps(fold.seen())))
    assert media_ms(segment(3), segment(1), segment(4), fold=again) == 2_000


@pytest.mark.parametrize(
    "changes", [{"complete": False}, {"method": "HEAD"}, {"media_ms": 0}, {"media_ms": -5}, {"media_ms": 10**9}]
)
def test_what_serves_no_time_still_counts_its_bytes(changes: dict[str, object]) -> None:
    fold = Fold()
    found = folded(segment(1, **changes), fold=fold)[A]
    assert (found.media_ms, found.segments, found.media_bytes) == (0, 0, 1_000)
    assert media_ms(segment(1), fold=fold) == 2_000, "and the segment is not taken for served"


def test_playlists_count_their_bytes() -> None:
    found = folded(line("index.m3u8"), line("720p/index.m3u8", media_ms=5))[A]
    assert (found.media_ms, found.media_bytes, found.requests) == (0, 2_000, 2)


@pytest.mark.parametrize(
    "text",
    [
        segment(1, status=404),
        segment(1, status=403),
        segment(1, status=429),
        segment(1, status="200"),
        line(session="", media=""),
        line(session="A" * 26),
        line(session="../x"),
        line("720p/../1.ts"),
        segment(1).replace(b'"720p/1-1-000001.ts"', b"7"),
        segment(1, at="yesterday"),
        segment(1, at="2026-11-22T10:00:00"),
        b"",
        b"\x00\xff\xfe",
        b'{"at":"' + b"[" * 60_000,
        b"{}",
        b"[]",
        b'{"at":"',
        b"guard: ended 2 processes that the last nginx left behind",
    ],
)
def test_everything_else_counts_for_nothing(text: bytes) -> None:
    assert fetch_of(text.rstrip(b"\n")) is None


def test_a_line_behind_one_that_was_cut_short_counts() -> None:
    torn = segment(1)[:200].rstrip(b"\n") + segment(2).rstrip(b"\n")
    found = fetch_of(torn)
    assert found and found.segment == "1-1-000002"


def test_the_memory_of_a_session_that_jumps_about_is_bounded() -> None:
    fold = Fold()
    folded(*(segment(number * 2) for number in range(500)), fold=fold)
    ((_, spans),) = fold.seen().values()
    assert len(spans) == fetches.SPANS_MAX


def test_who_watches_on_needs_one_span_in_whatever_order_segments_come() -> None:
    fold = Fold()
    assert media_ms(*(segment(number) for number in (5, 3, 4, 1, 2, 6, 3, 5)), fold=fold) == 12_000
    ((_, spans),) = fold.seen().values()
    assert spans == [["1-1-", 1, 6]]


def test_sessions_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = Fold()
    folded(segment(1, A), fold=fold)
    later = f"{DAY}T10:{IDLE_MS // 60_000 + 1}:00+00:00"
    folded(segment(1, B, at=later), fold=fold)
    assert set(fold.seen()) == {B}
    monkeypatch.setattr(fetches, "SESSIONS_MAX", 3)
    folded(*(segment(1, letter * 26, at=later) for letter in "cdefg"), fold=fold)
    assert set(fold.seen()) == {"e" * 26, "f" * 26, "g" * 26}
