"""What of a source's media playlists is passed on, over several openings, and when the source has failed."""

import re

import m3u8
import pytest

from tests.unit.worker.hls_server import Client, Clock, Server
from worker.ingest.hls.addresses import check_addresses
from worker.ingest.hls.played import PLAYLISTS_MAX, SEGMENTS_MAX, HandedOut, PlayedSegments, SegmentId
from worker.ingest.outward import EgressRefused


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Server:
    return Server(target_s=6)


@pytest.fixture
def played() -> PlayedSegments:
    return PlayedSegments()


def test_a_sliding_window_is_passed_on_byte_for_byte(server: Server, clock: Clock, played: PlayedSegments) -> None:
    client = Client(server, clock, played)
    for n in range(100, 200):
        server.segments = [(i, f"s{i}.ts?token={n}") for i in range(n, n + 5)]
        server.head = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n"  # fmt: skip
        assert client.look() == server.playlist()
        client.fetch_all()
        clock.now_s += 6
        assert client.session.failure() is None and client.session.stillness() is None


def test_a_playlist_that_stops_fails_when_its_content_has_been_played(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    """18 s in three segments, one fetched whenever the one before has been played."""
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
        client.session.missed(server.url)
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


def test_a_recording_never_fails_and_plays_from_its_beginning_each_time(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    server.segments, server.tail = [(n, f"s{n}.ts") for n in range(3)], "#EXT-X-ENDLIST\n"
    for _ in range(2):
        client = Client(server, clock, played)
        assert client.look() == server.playlist()
        assert client.session.segment("https://h.test:443/live/s0.ts") is None, "it is not remembered"
        clock.now_s += 100
        assert client.session.failure() is None


def test_a_dead_source_is_not_played_again_until_it_moves(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(n, f"s{n}.ts") for n in range(100, 105)]
    first = Client(server, clock, played)
    first.look()
    for uri in ("s102.ts", "s103.ts"):
        first.fetch(uri)
    # One was listed and never fetched: it is played.
    assert Client(server, clock, played).names() == [(104, "s104.ts")]
    again = Client(server, clock, played)
    again.look()
    again.fetch("s104.ts")
    for _ in range(2):
        with pytest.raises(EgressRefused, match=r"playlist at h\.test has had no new segment since it was played last"):
            again = Client(server, clock, played)
            again.look()
    server.tail = "#EXT-X-ENDLIST\n"
    with pytest.raises(EgressRefused, match=r"h\.test has ended"):
        Client(server, clock, played).look()
    server.tail, server.segments = "", [*server.segments[1:], (105, "s105.ts")]
    # The opening that was refused goes on, too.
    assert again.names() == [(105, "s105.ts")]


def test_tokens_that_change_do_not_make_segments_new(server: Server, clock: Clock, played: PlayedSegments) -> None:
    server.segments = [(7, "s7.ts?t=1"), (8, "s8.ts?t=1")]
    client = Client(server, clock, played)
    client.look()
    client.fetch_all()
    server.segments = [(7, "//cdn2.test/live/s7.ts?t=2"), (8, "//cdn2.test/live/s8.ts?t=2")]
    with pytest.raises(EgressRefused):
        Client(server, clock, played).look()


def test_a_restarted_server_plays(server: Server, clock: Clock, played: PlayedSegments) -> None:
    """While it is open the numbers go on, so that no client waits for the old ones."""
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


def test_new_segments_between_old_ones_keep_their_keys_numbers_and_ranges(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    client = Client(server, clock, played)
    server.head = '#EXT-X-MAP:URI="i1.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="k1"\n#EXT-X-DISCONTINUITY-SEQUENCE:4\n'
    server.segments = [(5, "a.m4s"), (6, "b.m4s"), (7, "a.m4s"), (8, "c.m4s")]
    server.tags = {8: '#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=AES-128,URI="k2"\n', 6: "#EXT-X-BYTERANGE:10@0\n"}
    read = m3u8.loads(client.look().decode())
    assert [each.uri for each in read.segments] == ["a.m4s", "b.m4s", "c.m4s"]
    assert (read.media_sequence, read.discontinuity_sequence) == (5, 4)
    assert [each.discontinuity for each in read.segments] == [False, False, True]
    keys = [(each.key.uri, each.key.iv and int(each.key.iv, 16)) for each in read.segments]
    assert keys == [("k1", None), ("k1", None), ("k2", 8)], "its number is not 8 any more, so the IV is written out"
    assert {each.init_section.uri for each in read.segments} == {"i1.mp4"}
    assert [each.byterange for each in read.segments] == [None, "10@0", None]
    server.segments, server.tags = [(9, "d.m4s")], {}
    server.head = server.head.replace(":4", ":5")
    read = m3u8.loads(client.look().decode())
    assert (read.media_sequence, read.discontinuity_sequence) == (8, 5)


def test_what_the_left_out_segments_had_set_holds_for_those_that_stay(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    first = Client(server, clock, played)
    server.segments = [(5, "all.m4s"), (6, "all.m4s")]
    server.head = '#EXT-X-KEY:METHOD=AES-128,URI="k0",IV=0x1\n#EXT-X-MAP:URI="i.mp4"\n#EXT-X-KEY:METHOD=NONE\n'
    server.tags = {
        5: '#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-BYTERANGE:100@50\n',
        6: "#EXT-X-BYTERANGE:70\n",
        7: "#EXT-X-BYTERANGE:30\n",
    }
    first.look()
    first.fetch("all.m4s", "bytes=50-149")
    first.fetch("all.m4s", "bytes=150-219")
    server.segments.append((7, "all.m4s"))
    text = Client(server, clock, played).look().decode()
    assert text == (
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"
        '#EXT-X-KEY:METHOD=AES-128,URI="k0",IV=0x1\n#EXT-X-MAP:URI="i.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n'
        "#EXT-X-BYTERANGE:30@220\n#EXTINF:6.0,\nall.m4s\n"
    )


def test_what_is_remembered_is_bounded() -> None:
    played = PlayedSegments()
    for n in range(SEGMENTS_MAX + 10):
        how = HandedOut(1, f"https://h/{n % 100}.m3u8", n)
        played.add(SegmentId(n, f"https://h/{n}.ts"), how)
        assert played.add_start(b"%d" % n, how)
    sizes = [len(played._contents), len(played._places), len(played._starts), len(played._newest)]
    assert sizes == [SEGMENTS_MAX, SEGMENTS_MAX, SEGMENTS_MAX, PLAYLISTS_MAX]
    assert not played.has(SegmentId(0, "https://h/0.ts"), HandedOut(2, "https://h/x", 9))


def test_live_playlists_are_bounded(clock: Clock, played: PlayedSegments) -> None:
    session = Client(Server(6), clock, played).session
    for n in range(PLAYLISTS_MAX):
        session.playlist(f"https://h.test:443/{n}", Server(6).playlist())
    with pytest.raises(EgressRefused, match="more than 32 live playlists"):
        session.playlist("https://h.test:443/x", Server(6).playlist())


@pytest.mark.parametrize(
    "line",
    [
        "tcp://10.0.0.1:80",
        " tcp://10.0.0.1:80",
        "#x\rtcp://10.0.0.1:80",
        "#x\0tcp://10.0.0.1:80",
        "crypto+tcp://10.0.0.1:80",
        "subfile,,start,0,end,0,,:x",
        "http:x",
        '#EXT-X-MAP:URI="tcp://10.0.0.1:80"',
        '#EXT-X-MAP:URI="\\tcp://10.0.0.1:80"',
        "#EXT-X-KEY:METHOD=AES-128,URI=tcp://10.0.0.1:80",
        '#EXT-X-MEDIA:TYPE=AUDIO,URI="file:/etc/passwd"',
    ],
)
def test_nothing_but_http_is_named(line: str) -> None:
    with pytest.raises(EgressRefused, match=r"names an address that begins with .*; allowed: https://|zero byte"):
        check_addresses(f"#EXTM3U\n#EXTINF:1,\n{line}\n".encode(), "h")


@pytest.mark.parametrize("line", ["a.ts", "https://h/a:b", "HTTP://h/a", "/a:b.ts", "s.php?u=tcp://x", "#tcp://x"])
def test_http_and_relative_addresses_are_passed_on(line: str) -> None:
    check_addresses(f"#EXTM3U\n#EXTINF:1,\n{line}\n#EXT-X-DATERANGE:URI=\"data:x\"\n".encode(), "h")  # fmt: skip
