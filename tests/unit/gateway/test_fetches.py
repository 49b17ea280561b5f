"""What lines of the log count for."""

import json
from collections import Counter

import pytest

from chalicelib.domain.money.usage import Served
from gateway import fetches
from gateway.fetches import IDLE_MS, Fetch, Fold, fetch_of
from gateway.lines import line_of
from tests.unit.gateway.access_lines import AT_S, DAY, MINUTE, A, B, line, segment

AT_MS = AT_S * 1000
MIDNIGHT_S = AT_S + 14 * 3_600


def taken(*lines: bytes, fold: Fold | None = None) -> tuple[dict[str, Served], dict[tuple[int, str], Counter[str]]]:
    fold = fold or Fold()
    for each in lines:
        found = line_of(each.rstrip(b"\n"))
        if found:
            fold.add(found)
    return fold.take()


def folded(*lines: bytes, fold: Fold | None = None) -> dict[str, Served]:
    return taken(*lines, fold=fold)[0]


def fetched(text: bytes) -> Fetch | None:
    found = line_of(text.rstrip(b"\n"))
    return fetch_of(found) if found else None


def counted(*lines: bytes, fold: Fold | None = None) -> dict[tuple[int, str], Counter[str]]:
    return taken(*lines, fold=fold)[1]


def media_ms(*lines: bytes, fold: Fold | None = None) -> int:
    return folded(*lines, fold=fold)[A].media_ms


def test_a_segment_counts_for_its_session_and_its_day() -> None:
    served = Served(media_ms=2_000, media_bytes=1_000, segments=1, requests=1, first_at_ms=AT_MS, last_at_ms=AT_MS)
    assert folded(segment(1)) == {A: served, f"day:{DAY}": served}


def test_days_are_utc() -> None:
    found = folded(segment(1, at_s=MIDNIGHT_S), segment(2, at_s=MIDNIGHT_S - 0.001))
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
        segment(1, at_s="1795341600"),
        segment(1, at_s=True),
        segment(1, at_s=-1),
        segment(1, at_s=1e300),
        segment(1).replace(b"1795341600", b"NaN"),
        segment(1).replace(b'"at_s":1795341600,', b""),
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
    assert fetched(text) is None


def test_a_line_behind_one_that_was_cut_short_counts() -> None:
    torn = segment(1)[:200].rstrip(b"\n") + segment(2).rstrip(b"\n")
    found = fetched(torn)
    assert found and found.segment == "1-1-000002"


def test_the_memory_of_a_session_that_jumps_about_is_bounded() -> None:
    fold = Fold()
    folded(*(segment(number * 2) for number in range(500)), fold=fold)
    ((_, spans, _),) = fold.seen().values()
    assert len(spans) == fetches.SPANS_MAX


def test_who_watches_on_needs_one_span_in_whatever_order_segments_come() -> None:
    fold = Fold()
    assert media_ms(*(segment(number) for number in (5, 3, 4, 1, 2, 6, 3, 5)), fold=fold) == 12_000
    ((_, spans, _),) = fold.seen().values()
    assert spans == [["1-1-", 1, 6]]


def test_sessions_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = Fold()
    folded(segment(1, A), fold=fold)
    later = AT_S + IDLE_MS // 1000 + 60
    folded(segment(1, B, at_s=later), fold=fold)
    assert set(fold.seen()) == {B}
    monkeypatch.setattr(fetches, "SESSIONS_MAX", 3)
    folded(*(segment(1, letter * 26, at_s=later) for letter in "cdefg"), fold=fold)
    assert set(fold.seen()) == {"e" * 26, "f" * 26, "g" * 26}


def test_the_last_moment_is_to_the_millisecond_and_never_goes_back() -> None:
    fold = Fold()
    assert folded(segment(1, at_s=AT_S + 0.789), segment(2, at_s=AT_S + 0.123), fold=fold)[A].last_at_ms == AT_MS + 789
    # Another of nginx's processes wrote this later than it happened.
    assert folded(segment(3, at_s=AT_S + 0.5), fold=fold)[A].last_at_ms == AT_MS + 789


def test_answers_are_counted_by_minute_and_by_stream_and_hour() -> None:
    found = counted(
        segment(1),
        segment(2, cache="MISS", verdict="EXPIRED"),
        line("index.m3u8", cache="EXPIRED", bytes=10, stream="stream-2"),
        segment(3, at_s=AT_S + 61, status=404, bytes=5, verdict=""),
        line(path="/healthz", session="", stream="", media="", bytes=7, cache="", verdict=""),
    )
    first = {
        "media_bytes": 2_010,
        "media_2xx": 3,
        "segment_hits": 1,
        "segment_misses": 1,
        "playlist_misses": 1,
        "verdict_hits": 2,
        "verdict_misses": 1,
        "api_bytes": 7,
        "api_2xx": 1,
    }
    later = {"media_bytes": 5, "media_4xx": 1}
    segments = {"segment_hits": 1, "segment_misses": 1, "verdict_hits": 1, "verdict_misses": 1}
    assert found == {
        (MINUTE, ""): first,
        (MINUTE + 1, ""): later,
        (MINUTE, "stream-1"): {"media_bytes": 2_005, "media_2xx": 2, "media_4xx": 1, **segments},
        (MINUTE, "stream-2"): {"media_bytes": 10, "media_2xx": 1, "playlist_misses": 1, "verdict_hits": 1},
    }


@pytest.mark.parametrize(
    ("changes", "counted_as"),
    [
        ({"status": 206}, {"media_2xx", "segment_hits", "verdict_hits"}),
        ({"status": 304}, {"media_3xx", "verdict_hits"}),
        ({"status": 401, "cache": "HIT"}, {"media_4xx", "refused_401", "verdict_hits"}),
        ({"status": 403}, {"media_4xx", "refused_403", "verdict_hits"}),
        ({"status": 429}, {"media_4xx", "refused_429", "verdict_hits"}),
        ({"status": 503, "verdict": ""}, {"media_5xx"}),
        ({"status": 499}, {"media_closed", "verdict_hits"}),
        ({"status": 0, "verdict": "NONSENSE"}, {"media_closed"}),
        ({"status": 101}, {"verdict_hits"}),
        ({"session": "", "stream": "", "status": 404, "verdict": ""}, {"media_4xx"}),
        ({"path": "/streams", "session": "", "stream": "", "status": 403, "verdict": ""}, {"api_4xx"}),
        ({"path": "/x/play/y", "session": "", "stream": "", "status": 502, "verdict": ""}, {"api_5xx"}),
    ],
)
def test_what_an_answer_counts_for(changes: dict[str, object], counted_as: set[str]) -> None:
    whole = counted(segment(1, **changes))[MINUTE, ""]
    assert {name for name in whole if not name.endswith("_bytes")} == counted_as


def test_a_refusal_counts_for_the_stream_that_the_session_was_served() -> None:
    refusal = {"status": 403, "stream": "", "verdict": ""}
    fold = Fold()
    counted(segment(1), fold=fold)
    again = Fold(json.loads(json.dumps(fold.seen())))
    found = counted(segment(2, **refusal), segment(2, B, **refusal), fold=again)
    assert found[MINUTE, "stream-1"] == {"media_bytes": 1_000, "media_4xx": 1, "refused_403": 1}
    assert found[MINUTE, ""]["refused_403"] == 2


def test_what_strangers_ask_for_makes_no_rows_of_its_own() -> None:
    hostile = [
        line(f"720p/{n}.ts", f"{'abcdefghij'[n % 10]}{'abcdefghij'[n // 10]}" + "c" * 24, stream="", status=401)
        for n in range(100)
    ]
    hostile += [line(path=f"/{n}", session="", stream="", media="", status=404) for n in range(100)]
    hostile += [line(session=f"{n}", stream=f"../{n}", status=404) for n in range(100)]
    fold = Fold()
    assert set(counted(*hostile, fold=fold)) == {(MINUTE, "")}
    assert fold.seen() == {}
