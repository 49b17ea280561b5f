"""Segments that were handed out are left out, within an opening and in later ones."""

import pytest

from tests.unit.worker.ingest.hls_server import Server
from worker.ingest.errors import EgressRefused
from worker.ingest.hls import live_playlist
from worker.ingest.hls.addresses import absolute_url
from worker.ingest.hls.played import PLAYLISTS_MAX, SEGMENTS_MAX, Delivery, PlayedSegments, SegmentId


def test_a_dead_source_is_not_played_again_until_it_moves(server: Server) -> None:
    server.list(100, 104)
    first = server.client()
    first.look()
    for uri in ("s102.ts", "s103.ts"):
        first.fetch(uri)
    # One was listed and never fetched: it is played.
    assert server.client().names() == [(104, "s104.ts")]
    second = server.client().play()
    assert second.fetched == ["s104.ts"]
    for _ in range(2):
        assert "playlist at h.test has had no new segment since it was played last" in server.refusal()
    second = server.client()
    with pytest.raises(EgressRefused):
        second.look()
    server.tail = "#EXT-X-ENDLIST\n"
    assert "h.test has ended" in server.refusal()
    server.tail = ""
    server.list(101, 105)
    # The opening that was refused continues, too.
    assert second.names() == [(105, "s105.ts")]


def test_tokens_that_change_do_not_make_segments_new(server: Server) -> None:
    server.list(7, 8, "s{}.ts?t=1")
    server.client().play()
    server.list(7, 8, "//cdn2.test/live/s{}.ts?t=2")
    assert server.refusal()
    # Nor do those that change with every look leave anything behind.
    client = server.client()
    for n in range(400):
        server.list(n + 9, n + 11, f"s{{}}.ts?t={n}")
        assert client.look() == server.playlist()
    (live,) = client.session._live.values()
    assert len(live._passed_on) == len(live._decided) <= live_playlist.NUMBERS_KEPT + 3


def test_a_restarted_server_plays(server: Server) -> None:
    """In the same opening the numbers continue, so that no client waits for the old ones."""
    server.list(50, 52, "a{}.ts")
    client = server.client().play()
    server.list(0, 1, "b{}.ts")
    server.contents = "second"
    assert client.names() == [(53, "b0.ts"), (54, "b1.ts")]
    assert "#EXT-X-DISCONTINUITY\n" in client.play().look().decode()
    server.list(1, 2, "b{}.ts")
    assert client.names() == [(54, "b1.ts"), (55, "b2.ts")]
    client.fetch("b2.ts")
    assert server.refusal()
    server.list(0, 0, "c{}.ts")
    assert server.client().names() == [(0, "c0.ts")]


@pytest.mark.parametrize("opened_again", [True, False])
def test_a_restarted_server_with_the_same_names_plays_what_is_new(server: Server, opened_again: bool) -> None:
    client = server.client()
    for n in range(20):
        server.list(n, n + 2, "live{}.ts")
        client.play()
    server.contents = "second"
    client, first = (server.client(), 0) if opened_again else (client, 22)
    for n in range(30):
        server.list(n, n + 1, "live{}.ts")
        assert client.names() == [(first + n, f"live{n}.ts"), (first + n + 1, f"live{n + 1}.ts")]
        client.fetch_all()
    server.list(30, 31, "live{}.ts")
    assert server.client().names() == [(31, "live31.ts")]


def test_an_older_copy_from_another_edge_or_a_restart_with_the_same_content_changes_nothing(server: Server) -> None:
    client = server.client()
    for first in (10, 11, 10, 9, 12):
        server.list(first, first + 3)
        assert client.names() == [(n, uri) for n, uri in server.segments if n >= 10]
        client.fetch_all()
    server.list(10, 13)
    assert server.refusal()
    # A restarted server with the same content plays nothing.
    server = Server(target_s=6)
    server.list(0, 9)
    server.client().play()
    server.list(0, 0)
    with pytest.raises(EgressRefused, match=r"h\.test sends a segment again that was played before"):
        server.client().play()


def test_a_feed_that_repeats_itself_is_left_out_and_fails(server: Server) -> None:
    client = server.client()
    server.target_s = 2
    for n in range(30):
        server.segments = [(i, f"s{i % 5}.ts") for i in range(n, n + 3)]
        client.play()
        server.now_s += 2
        if client.session.failure():
            break
    assert sorted(set(client.fetched)) == sorted(client.fetched), "nothing is fetched twice"
    assert 14 <= server.now_s <= 16, "10 s after the last new one was listed"
    assert server.refusal()


def test_a_feed_that_repeats_itself_under_other_names_fails(server: Server) -> None:
    server.target_s = 2
    server.segments = [(1, "a.ts"), (2, "b.ts")]
    client = server.client().play()
    server.content_of = {f"other{n}.ts": "first a.ts" for n in range(100)}
    for n in range(3, 20):
        server.now_s += 2
        server.list(n, n, "other{}.ts")
        with pytest.raises(EgressRefused):
            client.play()
        if client.session.failure():
            break
    assert 10 <= server.now_s <= 16
    server.now_s += 2
    server.list(99, 99, "new{}.ts")
    assert client.play().session.failure() is None


def test_what_is_remembered_is_bounded_and_silence_is_no_repeat(server: Server) -> None:
    played = PlayedSegments()
    for n in range(SEGMENTS_MAX + 10):
        how = Delivery(1, f"https://h/{n % 100}.m3u8", n)
        played.add(SegmentId(n, f"https://h/{n}.ts"), how)
        assert played.add_start(b"%d" % n, how)
    sizes = [len(played._contents), len(played._places), len(played._starts), len(played._newest)]
    assert sizes == [SEGMENTS_MAX, SEGMENTS_MAX, SEGMENTS_MAX, PLAYLISTS_MAX]
    assert not played.has(SegmentId(0, "https://h/0.ts"), Delivery(2, "https://h/x", 9))
    # Silence without time stamps is no repeat.
    server.segments = [(1, "a.aac"), (2, "b.aac")]
    server.start = lambda uri, byte_range: b"\xff\xf1" * 188  # type: ignore[method-assign]
    assert server.client().play().fetched == ["a.aac", "b.aac"]


@pytest.mark.parametrize("is_recording", [False, True])
def test_an_init_section_in_the_file_of_the_segments_is_fetched_again(server: Server, is_recording: bool) -> None:
    server.head = '#EXT-X-MAP:URI="all.mp4?t=1",BYTERANGE="800@0"\n'
    server.list(5, 6, "all.mp4?t=1")
    server.tags = {5: "#EXT-X-BYTERANGE:100@800\n", 6: "#EXT-X-BYTERANGE:70\n"}
    server.tail = "#EXT-X-ENDLIST\n" if is_recording else ""
    client = server.client()
    client.look()
    url = absolute_url(server.url, "all.mp4?t=1")
    for byte_range in ("bytes=800-899", "bytes=900-969"):
        assert client.session.segment(url, "bytes=0-799") is None and client.session.ending() is None
        client.fetch("all.mp4?t=1", byte_range)
    assert (client.session.ending() is not None) == is_recording
    # A segment that is called an init section, too, is checked.
    server.segments, server.tags = [(7, "all.mp4?t=1")], {7: "#EXT-X-BYTERANGE:800@0\n"}
    client.look()
    assert client.session.segment(url, "bytes=0-799")
