"""Segments that were handed out are left out, within an opening and in later ones."""

import pytest

from tests.unit.worker.ingest.hls_server import Client, Clock, Server
from worker.ingest.errors import EgressRefused
from worker.ingest.hls import live_playlist
from worker.ingest.hls.addresses import absolute_url
from worker.ingest.hls.played import PLAYLISTS_MAX, SEGMENTS_MAX, Delivery, PlayedSegments, SegmentId


def test_a_dead_source_is_not_played_again_until_it_moves(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(n, f"s{n}.ts") for n in range(100, 105)]
    first = Client(server, clock, played)
    first.look()
    for uri in ("s102.ts", "s103.ts"):
        first.fetch(uri)
    # One was listed and never fetched: it is played.
    assert Client(server, clock, played).names() == [(104, "s104.ts")]
    second = Client(server, clock, played)
    second.look()
    second.fetch("s104.ts")
    for _ in range(2):
        with pytest.raises(EgressRefused, match=r"playlist at h\.test has had no new segment since it was played last"):
            second = Client(server, clock, played)
            second.look()
    server.tail = "#EXT-X-ENDLIST\n"
    with pytest.raises(EgressRefused, match=r"h\.test has ended"):
        Client(server, clock, played).look()
    server.tail, server.segments = "", [*server.segments[1:], (105, "s105.ts")]
    # The opening that was refused continues, too.
    assert second.names() == [(105, "s105.ts")]


def test_tokens_that_change_do_not_make_segments_new(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(7, "s7.ts?t=1"), (8, "s8.ts?t=1")]
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    server.segments = [(7, "//cdn2.test/live/s7.ts?t=2"), (8, "//cdn2.test/live/s8.ts?t=2")]
    with pytest.raises(EgressRefused):
        Client(server, clock, played).look()


def test_a_restarted_server_plays(server: Server, clock: Clock, played: PlayedSegments) -> None:
    """In the same opening the numbers continue, so that no client waits for the old ones."""
    server.segments = [(n, f"a{n}.ts") for n in (50, 51, 52)]
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    server.segments, server.contents = [(0, "b0.ts"), (1, "b1.ts")], "second"
    assert client.names() == [(53, "b0.ts"), (54, "b1.ts")]
    assert "#EXT-X-DISCONTINUITY\n" in client.look().decode()
    client.fetch_all()
    server.segments = [(1, "b1.ts"), (2, "b2.ts")]
    assert client.names() == [(54, "b1.ts"), (55, "b2.ts")]
    client.fetch("b2.ts")
    with pytest.raises(EgressRefused):
        Client(server, clock, played).look()
    server.segments = [(0, "c0.ts")]
    assert Client(server, clock, played).names() == [(0, "c0.ts")]


@pytest.mark.parametrize("opened_again", [True, False])
def test_a_restarted_server_with_the_same_names_plays_what_is_new(
    server: Server, clock: Clock, played: PlayedSegments, opened_again: bool
) -> None:
    client = Client(server, clock, played)
    for n in range(20):
        server.segments = [(i, f"live{i}.ts") for i in range(n, n + 3)]
        client.look()
        client.fetch_all()
    server.segments, server.contents = [(0, "live0.ts"), (1, "live1.ts")], "second"
    client = Client(server, clock, played) if opened_again else client
    first = 0 if opened_again else 22
    for n in range(30):
        assert client.names() == [(first + n, f"live{n}.ts"), (first + n + 1, f"live{n + 1}.ts")]
        client.fetch_all()
        server.segments = [(n + 1, f"live{n + 1}.ts"), (n + 2, f"live{n + 2}.ts")]
    assert Client(server, clock, played).names() == [(31, "live31.ts")]


def test_a_restarted_server_with_the_same_content_does_not(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    client = Client(server, clock, played)
    server.segments = [(n, f"s{n}.ts") for n in range(10)]
    client.look()
    client.fetch_all()
    server.segments = [(0, "s0.ts")]
    client = Client(server, clock, played)
    client.look()
    with pytest.raises(EgressRefused, match=r"h\.test sends a segment again that was played before"):
        client.fetch_all()


def test_an_older_copy_from_another_edge_changes_nothing(server: Server, clock: Clock, played: PlayedSegments) -> None:
    client = Client(server, clock, played)
    for first in (10, 11, 10, 9, 12):
        server.segments = [(n, f"s{n}.ts") for n in range(first, first + 4)]
        expected = [(n, uri) for n, uri in server.segments if n >= 10]
        assert client.names() == expected
        client.fetch_all()
    server.segments = [(n, f"s{n}.ts") for n in range(10, 14)]
    with pytest.raises(EgressRefused):
        Client(server, clock, played).look()


def test_a_feed_that_repeats_itself_is_left_out_and_fails(server: Server, clock: Clock, played: PlayedSegments) -> None:
    client = Client(server, clock, played)
    server.target_s = 2
    turn = [f"s{n}.ts" for n in range(5)]
    for n in range(30):
        server.segments = [(i, turn[i % 5]) for i in range(n, n + 3)]
        client.look()
        client.fetch_all()
        clock.now_s += 2
        if client.session.failure():
            break
    assert sorted(set(client.fetched)) == sorted(client.fetched), "nothing is fetched twice"
    assert 14 <= clock.now_s <= 16, "10 s after the last new one was listed"
    with pytest.raises(EgressRefused):
        Client(server, clock, played).look()


def test_a_feed_that_repeats_itself_under_other_names_fails(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    server.target_s = 2
    client = Client(server, clock, played)
    server.segments = [(1, "a.ts"), (2, "b.ts")]
    client.look()
    client.fetch_all()
    for n in range(3, 20):
        clock.now_s += 2
        server.segments = [(n, f"other{n}.ts")]
        server.content_of = {f"other{n}.ts": "first a.ts" for n in range(100)}
        client.look()
        with pytest.raises(EgressRefused):
            client.fetch_all()
        if client.session.failure():
            break
    assert 10 <= clock.now_s <= 16
    clock.now_s += 2
    server.segments = [(99, "new.ts")]
    client.look()
    client.fetch_all()
    assert client.session.failure() is None


def test_what_is_remembered_is_bounded() -> None:
    played = PlayedSegments()
    for n in range(SEGMENTS_MAX + 10):
        how = Delivery(1, f"https://h/{n % 100}.m3u8", n)
        played.add(SegmentId(n, f"https://h/{n}.ts"), how)
        assert played.add_start(b"%d" % n, how)
    sizes = [len(played._contents), len(played._places), len(played._starts), len(played._newest)]
    assert sizes == [SEGMENTS_MAX, SEGMENTS_MAX, SEGMENTS_MAX, PLAYLISTS_MAX]
    assert not played.has(SegmentId(0, "https://h/0.ts"), Delivery(2, "https://h/x", 9))


def test_silence_without_time_stamps_is_no_repeat(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(1, "a.aac"), (2, "b.aac")]
    server.start = lambda uri, byte_range: b"\xff\xf1" * 188  # type: ignore[method-assign]
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    assert client.fetched == ["a.aac", "b.aac"]


def test_tokens_that_change_with_every_look_leave_nothing_behind(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    client = Client(server, clock, played)
    for n in range(400):
        server.segments = [(i, f"s{i}.ts?t={n}") for i in range(n, n + 3)]
        assert client.look() == server.playlist()
    (live,) = client.session._live.values()
    assert len(live._passed_on) == len(live._decided) <= live_playlist.NUMBERS_KEPT + 3


@pytest.mark.parametrize("is_recording", [False, True])
def test_an_init_section_in_the_file_of_the_segments_is_fetched_again(
    server: Server, clock: Clock, played: PlayedSegments, is_recording: bool
) -> None:
    server.head = '#EXT-X-MAP:URI="all.mp4?t=1",BYTERANGE="800@0"\n'
    server.segments = [(5, "all.mp4?t=1"), (6, "all.mp4?t=1")]
    server.tags = {5: "#EXT-X-BYTERANGE:100@800\n", 6: "#EXT-X-BYTERANGE:70\n"}
    server.tail = "#EXT-X-ENDLIST\n" if is_recording else ""
    client = Client(server, clock, played)
    client.look()
    url = absolute_url(server.url, "all.mp4?t=1")
    for byte_range in ("bytes=800-899", "bytes=900-969"):
        assert client.session.segment(url, "bytes=0-799") is None
        assert client.session.ending() is None
        client.fetch("all.mp4?t=1", byte_range)
    assert (client.session.ending() is not None) == is_recording
    # A segment that is called an init section, too, is checked.
    server.segments, server.tags = [(7, "all.mp4?t=1")], {7: "#EXT-X-BYTERANGE:800@0\n"}
    client.look()
    assert client.session.segment(url, "bytes=0-799")
