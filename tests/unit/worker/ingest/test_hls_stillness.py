import re
from http import HTTPStatus

import pytest

from tests.unit.worker.ingest.hls_server import Server


def test_a_playlist_that_stops_fails_when_its_content_has_been_played(server: Server) -> None:
    """Fetch three segments of 18 s in total, each when the previous one has been played."""
    server.list(100, 102)
    client = server.client()
    for _, uri in server.segments:
        client.look()
        client.fetch(uri)
        for _ in range(6):
            assert client.session.failure() is None
            server.now_s += 1
    assert client.look() == server.playlist() + b"#EXT-X-ENDLIST\n", "the client ends when it has played all"
    # And if it does not:
    assert 18 <= client.fails_within(12) <= 23.1, "all of it was played, and viewers pay for little more"
    assert re.fullmatch(r"the playlist at h\.test has had no new segment for 2[0-3] s", client.session.failure())


def test_what_was_fetched_ahead_is_played_to_its_end(server: Server) -> None:
    server.target_s = 2
    server.list(0, 19)
    client = server.client().play()
    for server.now_s in range(40):
        assert client.look() == server.playlist() and client.session.failure() is None
    assert 40 <= client.fails_within(60) <= 43.1


@pytest.mark.parametrize(("target_s", "due_s"), [(1, 10), (6, 18), (10, 30)])
def test_a_client_that_waits_for_more_fails_after_three_targets(server: Server, target_s: int, due_s: int) -> None:
    server.target_s = target_s
    server.list(1, 1)
    assert server.client().play().fails_within(60) == pytest.approx(due_s, abs=1)


def test_requests_that_fail_count_as_nothing_new_and_none_fail_no_source(server: Server) -> None:
    server.list(1, 1)
    failing = server.client().play()
    for _ in range(10):
        server.now_s += 2
        failing.session.record_miss(server.url, HTTPStatus.BAD_GATEWAY)
    assert failing.session.failure()
    server.list(2, 2)
    idle = server.client()
    idle.look()
    server.now_s += 100
    assert idle.session.failure() is None
    server.list(3, 3)
    idle.look()
    assert idle.session.failure() is None


def test_one_of_two_playlists_is_enough(server: Server) -> None:
    sound = Server(6, "https://h.test:443/live/sound.m3u8")
    server.list(1, 1)
    client, second = server.client(), sound.client()
    second.session = client.session
    for n in range(20):
        sound.list(n, n, "a{}.aac")
        client.look(), second.look()
        server.now_s += 6
    assert client.session.failure() is None
    assert "h.test" in str(client.fails_within(30, second) and client.session.failure())
