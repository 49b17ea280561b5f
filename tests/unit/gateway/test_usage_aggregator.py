import json

import pytest

from chalicelib.domain.money.served_spans import SPANS_MAX
from chalicelib.domain.money.usage import Served
from gateway.usage import aggregator as module
from gateway.usage.aggregator import IDLE_MS, UsageAggregator
from gateway.usage.log_entries import parse_entry
from gateway.usage.media_responses import media_response_of
from tests.unit.gateway.log_lines import AT_S, DAY, MINUTE, A, B, line, segment

AT_MS = AT_S * 1000
MIDNIGHT_S = AT_S + 14 * 3_600


aggregator = pytest.fixture(lambda: UsageAggregator())


def take(lines, aggregator):
    aggregator = aggregator or UsageAggregator()
    for each in lines:
        entry = parse_entry(each.rstrip(b"\n"))
        if entry:
            aggregator.add(entry)
    return aggregator.take()


def served(*lines, aggregator=None):
    return take(lines, aggregator)[0]


def counters(*lines, aggregator=None):
    return take(lines, aggregator)[1]


def media_ms(*lines, aggregator=None):
    return served(*lines, aggregator=aggregator)[A].media_ms


def restarted(aggregator):
    return UsageAggregator(json.loads(json.dumps(aggregator.sessions())))


def stored_spans(aggregator):
    [(_, spans, _, _)] = aggregator.sessions().values()
    return spans


def media_response(text):
    entry = parse_entry(text.rstrip(b"\n"))
    return media_response_of(entry) if entry else None


def test_a_segment_counts_for_its_session_and_its_day_in_utc():
    expected = Served(media_ms=2_000, media_bytes=1_000, segments=1, requests=1, first_at_ms=AT_MS, last_at_ms=AT_MS)
    assert served(segment(1)) == {A: expected, f"day:{DAY}": expected}
    result = served(segment(1, at_s=MIDNIGHT_S), segment(2, at_s=MIDNIGHT_S - 0.001))
    assert {key: each.segments for key, each in result.items()} == {A: 2, "day:2026-11-23": 1, "day:2026-11-22": 1}


def test_only_segments_that_are_new_to_the_session_add_time():
    result = served(segment(1), segment(1), segment(1, status=206), segment(2), segment(1))[A]
    assert (result.media_ms, result.segments, result.media_bytes, result.requests) == (4_000, 2, 5_000, 5)
    assert media_ms(line("720p/1-1-000007.ts"), line("480p/1-1-000007.ts"), line("480p/1-1-000008.ts")) == 4_000
    assert media_ms(line("720p/1-1-000007.ts"), line("720p/1-2-000007.ts"), line("720p/2-1-000007.ts")) == 6_000
    result = served(segment(1, A), segment(1, B))
    assert result[A].media_ms == result[B].media_ms == 2_000 and result[f"day:{DAY}"].media_ms == 4_000
    result = served(line("index.m3u8"), line("720p/index.m3u8", media_ms=5))[A]
    assert (result.media_ms, result.media_bytes, result.requests) == (0, 2_000, 2)


def test_a_segment_counts_once_over_batches_and_restarts(aggregator):
    assert media_ms(segment(1), segment(2), aggregator=aggregator) == 4_000
    assert media_ms(segment(2), segment(3), aggregator=aggregator) == 2_000
    assert media_ms(segment(3), segment(1), segment(4), aggregator=restarted(aggregator)) == 2_000


@pytest.mark.parametrize(
    "changes",
    [
        *({"method": "HEAD"}, {"media_ms": 0}, {"media_ms": -5}, {"media_ms": 10**9}),
        *({"complete": False, "body_bytes": 0}, {"complete": False, "segment_bytes": 0}),
        # Several parts at once, and lines from before parts were logged.
        *({"status": 206, "segment_bytes": 0}, {"status": 206, "segment_bytes": None}),
    ],
)
def test_a_response_without_media_time_adds_bytes(changes, aggregator):
    result = served(segment(1, **changes), aggregator=aggregator)[A]
    assert (result.media_ms, result.segments, result.media_bytes) == (0, 0, 1_000)
    assert media_ms(segment(1), aggregator=aggregator) == 2_000, "the segment did not count as served"


@pytest.mark.parametrize(
    "text",
    [
        *(segment(1, status=status) for status in (404, 403, 429, "200")),
        *(line(session="", media=""), line(session="A" * 26), line(session="../x"), line("720p/../1.ts")),
        segment(1).replace(b'"720p/1-1-000001.ts"', b"7"),
        *(segment(1, at_s=at_s) for at_s in ("1795341600", True, -1, 1e300)),
        *(segment(1).replace(b"1795341600", b"NaN"), segment(1).replace(b'"at_s":1795341600,', b"")),
        *(b"", b"\x00\xff\xfe", b'{"at":"' + b"[" * 60_000, b"{}", b"[]", b'{"at":"'),
        b"guard: ended 2 processes that the last nginx left behind",
    ],
)
def test_other_lines_serve_no_media(text):
    assert media_response(text) is None


@pytest.mark.parametrize("sent", [b"\xff", b"caf\xe9", b"\xc3" * 200])
@pytest.mark.parametrize("field", [b'"agent":"', b'"path":"'])
def test_bytes_of_clients_that_are_not_utf8_hide_no_media(field, sent):
    assert media_ms(segment(1).replace(field, field + sent)) == 2_000


def test_a_line_behind_a_truncated_one_counts():
    result = media_response(segment(1)[:200].rstrip(b"\n") + segment(2).rstrip(b"\n"))
    assert result and result.segment == "1-1-000002"


def test_continuous_playback_needs_one_span_and_seeks_a_bounded_number(aggregator):
    assert media_ms(*(segment(number) for number in (5, 3, 4, 1, 2, 6, 3, 5)), aggregator=aggregator) == 12_000
    assert stored_spans(aggregator) == [["1-1-", 1, 6, 12_000]]
    served(*(segment(number * 2) for number in range(500)), aggregator=aggregator)
    assert len(stored_spans(aggregator)) == SPANS_MAX


def test_a_response_that_is_still_sent_counts_as_whole_and_its_end_adds_the_bytes(aggregator):
    still = segment(1, open=True, complete=False, bytes=None, segment_bytes=None, body_bytes=None)
    first, counts, _ = take([still, still], aggregator)
    expected = Served(media_ms=2_000, segments=1, first_at_ms=AT_MS, last_at_ms=AT_MS)
    assert first == {A: expected, f"day:{DAY}": expected} and not any(counts.values())
    end = served(segment(1, complete=False, body_bytes=700), aggregator=restarted(aggregator))[A]
    assert (end.media_ms, end.segments, end.media_bytes, end.requests) == (0, 0, 1_000, 1)


def test_idle_sessions_are_forgotten(aggregator, monkeypatch):
    served(segment(1, A), aggregator=aggregator)
    later = AT_S + IDLE_MS // 1000 + 60
    served(segment(1, B, at_s=later), aggregator=aggregator)
    assert set(aggregator.sessions()) == {B}
    monkeypatch.setattr(module, "SESSIONS_MAX", 3)
    served(*(segment(1, letter * 26, at_s=later) for letter in "cdefg"), aggregator=aggregator)
    assert set(aggregator.sessions()) == {"e" * 26, "f" * 26, "g" * 26}


def test_the_last_time_has_milliseconds_and_never_decreases(aggregator):
    both = segment(1, at_s=AT_S + 0.789), segment(2, at_s=AT_S + 0.123)
    # Another nginx process wrote the third entry late.
    for lines in (both, [segment(3, at_s=AT_S + 0.5)]):
        assert served(*lines, aggregator=aggregator)[A].last_at_ms == AT_MS + 789


def test_responses_count_by_minute_and_by_stream_and_hour():
    result = counters(
        segment(1),
        segment(2, cache="MISS", verdict="EXPIRED"),
        line("index.m3u8", cache="EXPIRED", bytes=10, stream="stream-2"),
        segment(3, at_s=AT_S + 61, status=404, bytes=5, verdict=""),
        line(path="/healthz", session="", stream="", media="", bytes=7, cache="", verdict=""),
    )
    segments = {"segment_hits": 1, "segment_misses": 1, "verdict_misses": 1}
    answers = {"verdict_hits": 2, "playlist_misses": 1, "api_bytes": 7, "api_2xx": 1}
    streams = {"media_2xx": 2, "media_4xx": 1, "verdict_hits": 1}
    assert result == {
        (MINUTE, ""): {"media_bytes": 2_010, "media_2xx": 3, **segments, **answers},
        (MINUTE + 1, ""): {"media_bytes": 5, "media_4xx": 1},
        (MINUTE, "stream-1"): {"media_bytes": 2_005, **streams, **segments},
        (MINUTE, "stream-2"): {"media_bytes": 10, "media_2xx": 1, "playlist_misses": 1, "verdict_hits": 1},
    }


NO_STREAM = {"session": "", "stream": "", "verdict": ""}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"status": 206}, {"media_2xx", "segment_hits", "verdict_hits"}),
        ({"status": 304}, {"media_3xx", "verdict_hits"}),
        ({"status": 401, "cache": "HIT"}, {"media_4xx", "refused_401", "verdict_hits"}),
        ({"status": 403}, {"media_4xx", "refused_403", "verdict_hits"}),
        ({"status": 429}, {"media_4xx", "refused_429", "verdict_hits"}),
        *(({"status": 503, "verdict": ""}, {"media_5xx"}), ({"status": 499}, {"media_closed", "verdict_hits"})),
        *(({"status": 0, "verdict": "NONSENSE"}, {"media_closed"}), ({"status": 101}, {"verdict_hits"})),
        ({**NO_STREAM, "status": 404}, {"media_4xx"}),
        ({**NO_STREAM, "path": "/streams", "status": 403}, {"api_4xx"}),
        ({**NO_STREAM, "path": "/x/play/y", "status": 502}, {"api_5xx"}),
    ],
)
def test_the_counters_of_a_response(changes, names):
    whole = counters(segment(1, **changes))[MINUTE, ""]
    assert {name for name in whole if not name.endswith("_bytes")} == names


def test_a_refusal_counts_for_the_stream_of_its_session(aggregator):
    refusal = {"status": 403, "stream": "", "verdict": ""}
    counters(segment(1), aggregator=aggregator)
    result = counters(segment(2, **refusal), segment(2, B, **refusal), aggregator=restarted(aggregator))
    assert result[MINUTE, "stream-1"] == {"media_bytes": 1_000, "media_4xx": 1, "refused_403": 1}
    assert result[MINUTE, ""]["refused_403"] == 2


def test_requests_of_strangers_create_no_rows(aggregator):
    ids = [f"{a}{b}" + "c" * 24 for a in "abcdefghij" for b in "abcdefghij"]
    hostile = [line(f"720p/{n}.ts", each, stream="", status=401) for n, each in enumerate(ids)]
    hostile += [line(path=f"/{n}", session="", stream="", media="", status=404) for n in range(100)]
    hostile += [line(session=f"{n}", stream=f"../{n}", status=404) for n in range(100)]
    assert (set(counters(*hostile, aggregator=aggregator)), aggregator.sessions()) == ({(MINUTE, "")}, {})
