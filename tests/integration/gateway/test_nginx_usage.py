"""What nginx logs of media: the time that a segment plays, and whether all of it went out."""

import json
import socket
import struct
import time

from tests.integration.gateway.conftest import LONG_SEGMENT, MEDIA_MS, SEGMENT

A, C = "a" * 26, "c" * 26
LINE_BYTES_MAX = 4_096


def test_the_time_of_a_segment_is_logged_whether_cached_or_not(gateway):
    miss, hit = gateway.get("720p/1-1-000001.ts", A), gateway.get("720p/1-1-000001.ts", C)
    gateway.get("720p/index.m3u8", A)
    gateway.s3.missing.add("/media/streams/stream-1/720p/1-1-000009.ts")
    gateway.get("720p/1-1-000009.ts", A)
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
    ]


def test_a_range_and_a_path_that_normalises_name_their_segment(gateway):
    assert gateway.get("720p/1-1-000001.ts", A, Range="bytes=0-9").status_code == 206
    assert gateway.get("720p/%31-1-000002.ts", A).status_code == 200
    found = [(each["status"], each["media"], each["media_ms"]) for each in gateway.logged()]
    assert found == [(206, "720p/1-1-000001.ts", MEDIA_MS), (200, "720p/1-1-000002.ts", MEDIA_MS)]


def test_a_transfer_that_breaks_off_is_not_complete(gateway):
    assert gateway.get("720p/long-1.ts", C).content == LONG_SEGMENT
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(5)
        connection.connect((host, int(port)))
        request = f"GET /play/{A}/720p/long-1.ts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t-{A}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 200")
        # Gone without a word, as a network that fails.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    deadline = time.monotonic() + 10
    while f'"session":"{A}"' not in gateway.log_path.read_text():
        assert time.monotonic() < deadline, "the broken transfer was not logged"
        time.sleep(0.05)
    whole, broken = gateway.logged()
    assert (whole["complete"], broken["complete"]) == (True, False)
    assert broken["bytes"] < len(LONG_SEGMENT)


def test_the_longest_line_goes_through_a_pipe_in_one_piece(gateway):
    hostile = {"User-Agent": '\x7f\t"\\' * 400, "X-Request-ID": "r" * 64}
    gateway.client.get(f"{gateway.url}/play/{A}/720p/{'x' * 3_000}.ts?{'q' * 2_000}", headers=hostile)
    gateway.get("720p/" + "x" * 3_000 + ".ts", A, **hostile)
    gateway.process.terminate()
    gateway.process.wait(10)
    lines = [line for line in gateway.log_path.read_text().splitlines() if line.startswith("{")]
    assert len(lines) >= 2
    for line in lines:
        assert len(line) < LINE_BYTES_MAX
        json.loads(line)
