"""nginx's log of media: the segment's duration, and whether the response was complete."""

import json
import socket
import struct
import time
from collections import Counter

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.cut_offs import cut_off_ms
from chalicelib.domain.operations.traffic import traffic_of
from gateway.usage.aggregator import UsageAggregator
from gateway.usage.log_entries import parse_entry
from tests.fixtures.waiting import eventually
from tests.integration.gateway.nginx.harness import LONG_SEGMENT, MEDIA_MS, SEGMENT

A, C = "a" * 26, "c" * 26


def aggregate(gateway):
    """Aggregate the gateway's whole log."""
    aggregator = UsageAggregator()
    for each in gateway.logged():
        aggregator.add(parse_entry(json.dumps(each, separators=(",", ":")).encode()))
    return aggregator.take()[:2]


def now_ms():
    return time.time_ns() // 1_000_000


def connected(gateway):
    """Return a connection that reads the long segment slowly."""
    host, port = gateway.url.removeprefix("http://").split(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(5)
    connection.connect((host, int(port)))
    head = f"GET /play/{A}/720p/long-1.ts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer t-{A}"
    connection.sendall(f"{head}\r\n\r\n".encode())
    assert connection.recv(64).startswith(b"HTTP/1.1 200")
    return connection


def test_the_segment_and_its_duration_are_logged_on_hit_and_miss(gateway):
    miss, hit = gateway.get("720p/1-1-000001.ts", A), gateway.get("720p/1-1-000001.ts", C)
    gateway.get("720p/index.m3u8", A)
    gateway.s3.missing.add("/media/streams/stream-1/720p/1-1-000009.ts")
    gateway.get("720p/1-1-000009.ts", A)
    assert gateway.get("720p/1-1-000001.ts", A, Range="bytes=0-9").status_code == 206
    assert gateway.get("720p/%31-1-000002.ts", A).status_code == 200
    for answer in (miss, hit):
        assert answer.content == SEGMENT
        assert not [name for name in answer.headers if name.startswith("x-amz")]
    found = [
        (each["cache"], each["session"], each["media"], each["status"], each["media_ms"], each["complete"])
        for each in gateway.logged()
    ]
    assert found == [
        ("MISS", A, "720p/1-1-000001.ts", 200, MEDIA_MS, True),
        ("HIT", C, "720p/1-1-000001.ts", 200, MEDIA_MS, True),
        ("MISS", A, "720p/index.m3u8", 200, 0, True),
        ("MISS", A, "720p/1-1-000009.ts", 404, 0, True),
        ("HIT", A, "720p/1-1-000001.ts", 206, MEDIA_MS, True),
        ("MISS", A, "720p/1-1-000002.ts", 200, MEDIA_MS, True),
    ]


def test_an_interrupted_transfer_is_not_complete(gateway):
    assert gateway.get("720p/long-1.ts", C).content == LONG_SEGMENT
    with connected(gateway) as connection:
        # Reset the connection, like a failing network.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: f'"session":"{A}"' in gateway.log_path.read_text(), 10, "the broken transfer is logged")
    whole, broken = gateway.logged()
    assert (whole["complete"], broken["complete"]) == (True, False)
    size = len(LONG_SEGMENT)
    assert (whole["segment_bytes"], whole["first_byte"], whole["body_bytes"]) == (size, 0, size)
    assert (broken["segment_bytes"], broken["first_byte"]) == (size, 0) and 64 <= broken["body_bytes"] < size
    assert broken["body_bytes"] < broken["bytes"] < broken["body_bytes"] + 2_000, "without headers"
    figures, _ = aggregate(gateway)
    assert figures[C].media_ms == MEDIA_MS
    assert (figures[A].media_ms, figures[A].segments) == (MEDIA_MS * broken["body_bytes"] // size, 1)


def test_ranges_count_in_proportion_and_each_byte_once(gateway):
    size = len(SEGMENT)
    ranges = {"bytes=0-99": (0, 100), "bytes=50-149": (50, 100), f"bytes={size - 384}-": (size - 384, 384)}
    ranges |= {"bytes=-100": (size - 100, 100), f"bytes=16000-{10 * size}": (16_000, 384)}
    for header, (first, length) in ranges.items():
        answer = gateway.get("720p/1-1-000001.ts", A, Range=header)
        assert (answer.status_code, answer.content) == (206, SEGMENT[first : first + length])
    assert gateway.get("720p/1-1-000001.ts", A, Range=f"bytes={size}-").status_code == 416
    assert gateway.get("720p/1-1-000001.ts", A, Range="bytes=9-1").status_code in (200, 416)
    assert gateway.get("720p/1-1-000002.ts", A, method="HEAD").status_code == 200
    # All but the last byte, and then the last one, twice.
    for header in (f"bytes=0-{size - 2}", "bytes=-1", "bytes=-1"):
        gateway.get("720p/1-1-000003.ts", C, Range=header)
    found = [each for each in gateway.logged() if each["status"] == 206]
    sent = [(each["first_byte"], each["body_bytes"]) for each in found[: len(ranges)]]
    assert sent == list(ranges.values()) and {each["segment_bytes"] for each in found} == {size}
    figures, _ = aggregate(gateway)
    whole = any(each["status"] == 200 and each["media"] == "720p/1-1-000001.ts" for each in gateway.logged())
    distinct = size if whole else 150 + 384
    assert figures[A].media_ms == MEDIA_MS * distinct // size
    assert (figures[C].media_ms, figures[C].segments) == (MEDIA_MS, 1)


def test_several_ranges_at_once_count_at_most_the_segment(gateway):
    answer = gateway.get("720p/1-1-000001.ts", A, Range="bytes=0-9,20-29,40-")
    assert answer.status_code in (200, 206)
    figures, _ = aggregate(gateway)
    assert figures[A].media_ms == (MEDIA_MS if answer.status_code == 200 else 0)


def test_what_clients_send_cannot_forge_or_tear_a_line(gateway):
    hostile = '"},{"media_ms":9999,"segment_bytes":1' + "x" * 900
    for header in ("Range", "If-Range", "Content-Range", "User-Agent"):
        gateway.get("720p/1-1-000001.ts", A, **{header: hostile})
    gateway.get("720p/1-1-000001.ts", A, Range="bytes=0-0," * 90)
    gateway.get("720p/1-1-000001.ts", A, Range=f"bytes={'9' * 30}-{'9' * 40}")
    lines = gateway.stop().splitlines()
    found = [json.loads(each) for each in lines if each.startswith('{"at":')]
    assert len(found) == 6 and max(map(len, lines)) < 4_096
    numbers = ("segment_bytes", "first_byte", "body_bytes", "media_ms")
    assert all(type(each[name]) is int for each in found for name in numbers)
    assert {each["media_ms"] for each in found} <= {MEDIA_MS, 0}


def test_a_response_that_outlives_its_session_counts_at_its_last_byte(gateway):
    with connected(gateway) as connection:
        ended_at_ms = now_ms()
        gateway.denylist.deny_session(A, EndReason.KICKED)
        assert gateway.get("720p/1-1-000001.ts", A).status_code == 403
        # The kick applies to new requests; this response may end.
        went_on_ms = now_ms()
        while connection.recv(1 << 20):
            pass
        last_at_ms = now_ms()
    figures, _ = aggregate(gateway)
    assert figures[A].requests == 1, "the refusal is no answer with media"
    found = cut_off_ms(ended_at_ms, EndReason.KICKED, figures[A].last_at_ms)
    # nginx updates its clock once for each round of events.
    assert went_on_ms - ended_at_ms - 50 <= found <= last_at_ms - ended_at_ms + 1


def test_responses_cache_hits_and_refusals_are_counted(gateway):
    for session in (A, C, C):
        assert gateway.get("720p/1-1-000001.ts", session).status_code == 200
    gateway.s3.missing.add("/media/streams/stream-1/720p/1-1-000009.ts")
    assert gateway.get("720p/1-1-000009.ts", A).status_code == 404
    assert gateway.get("index.m3u8", A).status_code == 200
    assert gateway.get("index.m3u8", A, token="t-" + "x" * 26).status_code == 401
    assert gateway.get("index.m3u8", A, method="POST").status_code == 405
    gateway.denylist.deny_session(C, EndReason.KICKED)
    assert gateway.get("720p/1-1-000001.ts", C).status_code == 403
    assert gateway.client.get(f"{gateway.url}/streams").status_code == 502, "there is no API in this test"
    _, counts = aggregate(gateway)
    whole, stream = (
        traffic_of(sum((each for (_, of), each in counts.items() if of == name), Counter()))
        for name in ("", "stream-1")
    )
    assert (whole.media.answers_2xx, whole.media.answers_4xx, whole.media.answers_5xx) == (4, 4, 0)
    assert (whole.api.answers_2xx, whole.api.answers_5xx) == (0, 1)
    assert whole.refusals == {"401": 1, "402": 0, "403": 1, "410": 0, "429": 0}
    assert (whole.segments.hits, whole.segments.misses, whole.playlists.misses) == (2, 1, 1)
    # A: three requests with its token and one with a wrong one. C: two before its kick and one after it.
    assert (whole.verdicts.hits, whole.verdicts.misses) == (4, 3)
    # A denied session's stream, and that of a wrong token, is the one that the session was served.
    assert (stream.media.answers_2xx, stream.media.answers_4xx) == (4, 4)
    assert stream.media.egress_bytes == whole.media.egress_bytes > 3 * len(SEGMENT)
    assert stream.api.egress_bytes == 0
