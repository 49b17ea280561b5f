"""The log of a client of the egress proxy, with the addresses that its operator knows."""

import time

import pytest

from worker.ingest.egress.http import restore_urls

LONG = 40_000


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


@pytest.mark.parametrize("line", ["http://a?" + "]" * LONG + "b", "http://a?" + ":b" * LONG, "http://a?" * LONG])
def test_a_long_line_takes_no_time(line: str) -> None:
    began_s = time.process_time()
    restore_urls(line)
    assert time.process_time() - began_s < 2
