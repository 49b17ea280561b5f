"""A recording (ENDLIST) is played once, to its end."""

import pytest

from tests.unit.worker.ingest.hls_server import Server
from worker.ingest.errors import EgressRefused

END = "#EXT-X-ENDLIST\n"


@pytest.fixture
def server(server: Server) -> Server:
    server.list(0, 2)
    server.tail = END
    return server


def test_a_recording_is_passed_on_byte_for_byte_and_never_still(server: Server) -> None:
    client = server.client()
    assert client.look() == server.playlist()
    client.fetch("s0.ts")
    server.now_s += 100
    assert client.session.failure() is None and client.session.stillness() is None
    assert client.session.ending() is None, "two segments are still to come"
    client.fetch_all()
    assert client.session.ending() == "the playlist at h.test has ended"
    # It is not played again, with its end or without.
    assert "h.test has ended" in server.refusal()
    server.tail = ""
    assert "h.test has had no new segment" in server.refusal()


@pytest.mark.parametrize("tail", [END, ""])
@pytest.mark.parametrize("first", [0, 3, 100])
def test_it_is_opened_again_once_it_has_something_new(server: Server, tail: str, first: int) -> None:
    server.client().play()
    server.segments, server.tail = [(first, "new0.ts"), (first + 1, "new1.ts")], tail
    client = server.client()
    assert client.names() == server.segments
    client.fetch_all()


def test_it_goes_on_where_a_receiver_died(server: Server) -> None:
    client = server.client()
    client.look()
    client.fetch("s0.ts")
    client = server.client()
    assert client.names() == [(1, "s1.ts"), (2, "s2.ts")]
    assert client.look().endswith(END.encode())


def test_what_a_recording_names_twice_is_played_twice(server: Server) -> None:
    server.segments = [(0, "logo.ts"), (1, "a.ts"), (2, "logo.ts"), (3, "b.ts"), (4, "same-as-logo.ts")]
    server.content_of["same-as-logo.ts"] = "first logo.ts"
    client = server.client()
    assert client.look() == server.playlist()
    client.fetch("logo.ts")
    client.fetch("a.ts")
    assert server.client().names() == server.segments[2:]
    for uri in ("logo.ts", "b.ts", "same-as-logo.ts"):
        client.fetch(uri)
    assert client.session.ending() and "has ended" in server.refusal()


def test_the_same_content_under_other_names_is_refused(server: Server) -> None:
    server.client().play()
    server.list(0, 2, "visit2/s{}.ts")
    with pytest.raises(EgressRefused, match="sends a segment again that was played before"):
        server.client().play()
