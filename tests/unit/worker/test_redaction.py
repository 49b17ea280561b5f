"""Texts for operators hold no secret of a source."""

import io
import time

import pytest

from worker.ingest.egress.http import restore_urls
from worker.processes.child import LINE_BYTES_MAX, read_lines
from worker.processes.redaction import redact


@pytest.mark.parametrize(
    ("line", "redacted"),
    [
        ("https://cdn.example.org/live.m3u8?token=abc&e=1: 403", "https://cdn.example.org/live.m3u8?*** 403"),
        ("Opening 'https://h/a.ts?s='x' for reading", "Opening 'https://h/a.ts?*** for reading"),
        ("https://bob:hunter2@h:8443/x", "https://***@h:8443/x"),
        ("rtmps://live.example.org:443/app/s3cr3t-key", "rtmps://live.example.org:443/app/***"),
        ("rtmp://h/app: Connection refused", "rtmp://h/app: Connection refused"),
        ("srt://h:9000?passphrase=0123456789&mode=caller", "srt://h:9000?***"),
        ("[srt] passphrase=0123456789 streamid=publish:me", "[srt] passphrase=*** streamid=***"),
        ("Authorization: Bearer abc def", "Authorization: ***"),
        ("crypto+https://h/k?sig=1", "crypto+https://h/k?***"),
        ("frame=  12 fps= 30 keyframe=1 [h264 @ 0x55] no frame!",) * 2,
    ],
)
def test_addresses_and_named_secrets(line: str, redacted: str) -> None:
    assert redact(line) == redacted
    assert redact(redacted) == redacted


def test_given_secrets_go_wherever_they_stand_and_so_does_the_end_of_a_long_line() -> None:
    secrets = ["kkkkkkkk", "kkkkkkkk-1", "an"]
    assert redact("publisher kkkkkkkk-1 and kkkkkkkk left", secrets) == "publisher *** and *** left"
    # The end of a query would otherwise be a separate line, which nothing marks as secret.
    line = b"opening https://example.org/x?token=" + b"s" * LINE_BYTES_MAX + b"\nthe next line\n"
    lines = list(read_lines(io.BytesIO(line)))
    assert len(lines) == 2 and lines[1] == "the next line\n"
    assert "sss" not in redact(lines[0])


def test_no_scheme_is_too_long_or_too_close_to_a_digit() -> None:
    for before in ("a" * 100, "1", "a." * 50):
        assert redact(f"{before}https://bob:hunter2@h/x?key=abc") == f"{before}https://***@h/x?***"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[error] http://a.test:443/live.m3u8: Invalid data", "[error] https://a.test/live.m3u8: Invalid data"),
        ("Opening 'http://a.test:8443/s.php?x=1' for reading", "Opening 'https://a.test:8443/s.php' for reading"),
        ("http://a.test:443/s?token=a:b/c: Server returned 403", "https://a.test/s: Server returned 403"),
        ("URL http://a.test:443/s0 is not in allowed", "URL https://a.test/s0 is not in allowed"),
        ("parse_playlist error [http://[2001:db8::1]:8443/x?y]", "parse_playlist error [https://[2001:db8::1]:8443/x]"),
        ("HTTP://A.test:443?x", "https://A.test"),
        ("two http://a.test/x, http://b.test/y", "two https://a.test/x, https://b.test/y"),
        ("at [http://a.test/x?t=a]:b]: gone, http://a.test/y?]", "at [https://a.test/x]: gone, https://a.test/y]"),
        ("https://a.test/x tcp://127.0.0.1:9", "https://a.test/x tcp://127.0.0.1:9"),
    ],
)
def test_addresses_are_as_they_were_typed(said: str, shown: str) -> None:
    assert restore_urls(said) == shown


LONG = 40_000
ADDRESSES = "http://a?" + "]" * LONG + "b", "http://a?" + ":b" * LONG, "http://a?" * LONG


@pytest.mark.parametrize("line", ["a." * LONG, "a+" * LONG + ":/", "a://" * LONG, "key=" * LONG, *ADDRESSES])
def test_a_long_line_takes_no_time(line: str) -> None:
    began_s = time.process_time()
    redact(line)
    restore_urls(line)
    assert time.process_time() - began_s < 2
