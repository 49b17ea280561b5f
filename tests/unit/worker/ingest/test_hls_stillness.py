"""The rule when a source without new segments in its playlists has failed."""

import re
from http import HTTPStatus

import pytest

from tests.unit.worker.ingest.hls_server import Client, Clock, Server
from worker.ingest.hls.played import PlayedSegments


def test_a_playlist_that_stops_fails_when_its_content_has_been_played(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    """Fetch three segments of 18 s in total, each when the previous one has been played."""
    server.segments = [(n, f"s{n}.ts") for n in (100, 101, 102)]
    client = Client(server, clock, played)
    for uri in ("s100.ts", "s101.ts", "s102.ts"):
        client.look()
        client.fetch(uri)
        for _ in range(6):
            assert client.session.failure() is None
            clock.now_s += 1
    assert client.look() == server.playlist() + b"#EXT-X-ENDLIST\n", "the client ends when it has played all"
    # And if it does not:
    assert 18 <= client.fails_within(12) <= 23.1, "all of it was played, and viewers pay for little more"
    assert re.fullmatch(r"the playlist at h\.test has had no new segment for 2[0-3] s", client.session.failure())


def test_what_was_fetched_ahead_is_played_to_its_end(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.target_s = 2
    server.segments = [(n, f"s{n}.ts") for n in range(20)]
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    for n in range(40):
        clock.now_s = n
        assert client.look() == server.playlist() and client.session.failure() is None
    assert 40 <= client.fails_within(60) <= 43.1


@pytest.mark.parametrize(("target_s", "due_s"), [(1, 10), (6, 18), (10, 30)])
def test_a_client_that_waits_for_more_fails_after_three_targets(
    server: Server, clock: Clock, played: PlayedSegments, target_s: int, due_s: int
) -> None:
    server.target_s = target_s
    server.segments = [(1, "s1.ts")]
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    assert client.fails_within(60) == pytest.approx(due_s, abs=1)


def test_requests_that_fail_count_as_nothing_new(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(1, "s1.ts")]
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    for _ in range(10):
        clock.now_s += 2
        client.session.record_miss(server.url, HTTPStatus.BAD_GATEWAY)
    assert client.session.failure()


def test_a_client_that_does_not_ask_fails_no_source(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(1, "s1.ts")]
    client = Client(server, clock, played)
    client.look()
    clock.now_s += 100
    assert client.session.failure() is None
    server.segments = [(2, "s2.ts")]
    client.look()
    assert client.session.failure() is None


def test_one_of_two_playlists_is_enough(server: Server, clock: Clock, played: PlayedSegments) -> None:
    sound = Server(6, "https://h.test:443/live/sound.m3u8")
    server.segments = sound.segments = [(1, "s1.ts")]
    client, second = Client(server, clock, played), Client(sound, clock, played)
    second.session = client.session
    for n in range(20):
        sound.segments = [(n, f"a{n}.aac")]
        client.look(), second.look()
        clock.now_s += 6
    assert client.session.failure() is None
    assert "h.test" in str(client.fails_within(30, second) and client.session.failure())
