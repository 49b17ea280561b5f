"""A recording (ENDLIST) is played once, to its end."""

import pytest

from tests.unit.worker.ingest.hls_server import Client, Clock, Server
from worker.ingest.errors import EgressRefused
from worker.ingest.hls.played import PlayedSegments

END = "#EXT-X-ENDLIST\n"


@pytest.fixture
def server() -> Server:
    server = Server(6)
    server.segments, server.tail = [(n, f"s{n}.ts") for n in range(3)], END
    return server


def test_a_recording_is_passed_on_byte_for_byte_and_never_still(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    client = Client(server, clock, played)
    assert client.look() == server.playlist()
    client.fetch("s0.ts")
    clock.now_s += 100
    assert client.session.failure() is None and client.session.stillness() is None
    assert client.session.ending() is None, "two segments are still to come"
    client.fetch("s1.ts")
    client.fetch("s2.ts")
    assert client.session.ending() == "the playlist at h.test has ended"


def test_a_recording_that_has_ended_is_not_played_again(server: Server, clock: Clock, played: PlayedSegments) -> None:
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    for tail in (END, ""):
        server.tail = tail
        with pytest.raises(EgressRefused, match=r"h\.test has (ended|had no new segment)"):
            Client(server, clock, played).look()


@pytest.mark.parametrize("tail", [END, ""])
@pytest.mark.parametrize("first", [0, 3, 100])
def test_it_is_opened_again_once_it_has_something_new(
    server: Server, clock: Clock, played: PlayedSegments, tail: str, first: int
) -> None:
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    server.segments, server.tail = [(first, "new0.ts"), (first + 1, "new1.ts")], tail
    client = Client(server, clock, played)
    assert client.names() == server.segments
    client.fetch_all()


def test_it_goes_on_where_a_receiver_died(server: Server, clock: Clock, played: PlayedSegments) -> None:
    client = Client(server, clock, played)
    client.look()
    client.fetch("s0.ts")
    client = Client(server, clock, played)
    assert client.names() == [(1, "s1.ts"), (2, "s2.ts")]
    assert client.look().endswith(END.encode())


def test_what_a_recording_names_twice_is_played_twice(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(0, "logo.ts"), (1, "a.ts"), (2, "logo.ts"), (3, "b.ts"), (4, "same-as-logo.ts")]
    server.content_of["same-as-logo.ts"] = "first logo.ts"
    client = Client(server, clock, played)
    assert client.look() == server.playlist()
    client.fetch("logo.ts")
    client.fetch("a.ts")
    assert Client(server, clock, played).names() == server.segments[2:]
    client.fetch("logo.ts")
    client.fetch("b.ts")
    client.fetch("same-as-logo.ts")
    assert client.session.ending()
    with pytest.raises(EgressRefused, match="has ended"):
        Client(server, clock, played).look()


def test_the_same_content_under_other_names_is_refused(server: Server, clock: Clock, played: PlayedSegments) -> None:
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    server.segments = [(n, f"visit2/s{n}.ts") for n in range(3)]
    client = Client(server, clock, played)
    client.look()
    with pytest.raises(EgressRefused, match="sends a segment again that was played before"):
        client.fetch_all()
