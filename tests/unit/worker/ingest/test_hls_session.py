import re
from http import HTTPStatus

import m3u8
import pytest

from tests.unit.worker.ingest.hls_server import Server
from worker.ingest.errors import EgressRefused
from worker.ingest.hls.addresses import check_addresses
from worker.ingest.hls.media_playlist import SegmentPlace, read_media_playlist, write_media_playlist
from worker.ingest.hls.played import PLAYLISTS_MAX
from worker.ingest.hls.session import HlsSession


def test_a_sliding_window_is_passed_on_byte_for_byte(server: Server) -> None:
    client = server.client()
    for n in range(100, 200):
        server.list(n, n + 4, f"s{{}}.ts?token={n}")
        server.head = '#EXT-X-KEY:METHOD=AES-128,URI="k"\n'
        assert client.look() == server.playlist()
        client.fetch_all()
        server.now_s += 6
        assert client.session.failure() is None and client.session.stillness() is None


def test_new_segments_between_old_ones_keep_their_keys_numbers_and_ranges(server: Server) -> None:
    client = server.client()
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


def test_what_the_left_out_segments_had_set_holds_for_those_that_stay(server: Server) -> None:
    first = server.client()
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
    text = server.client().look().decode()
    assert text == (
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"
        '#EXT-X-KEY:METHOD=AES-128,URI="k0",IV=0x1\n#EXT-X-MAP:URI="i.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n'
        "#EXT-X-BYTERANGE:30@220\n#EXTINF:6.0,\nall.m4s\n"
    )


def test_media_playlists_are_bounded(server: Server) -> None:
    session = server.client().session
    for n in range(PLAYLISTS_MAX):
        session.playlist(f"https://h.test:443/{n}", server.playlist())
    with pytest.raises(EgressRefused, match="more than 32 media playlists"):
        session.playlist("https://h.test:443/x", server.playlist())


def test_playlists_are_asked_for_at_a_pace(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    spent_s = iter((0.0, 0.001, 10.0, 10.4))
    monkeypatch.setattr("worker.ingest.hls.session.time.thread_time", lambda: next(spent_s))
    server.now_s, server.segments = 100.0, [(1, "s1.ts")]
    client, url = server.client(), server.url
    session = client.session
    assert session.delay_s(url) == 0.0
    client.look()
    asked = (url, url, f"{url}?other", "https://h.test:443/live/s1.ts")
    assert [session.delay_s(each) for each in asked] == [0.5, 1.0, 0.0, 0.0]
    server.now_s += 6
    assert session.delay_s(url) == 0.0
    # This one is long: it takes 0.4 s of processor time.
    client.look()
    assert [round(session.delay_s(url), 6) for _ in range(2)] == [1.6, 3.2]


TCP = "tcp://10.0.0.1:80"
FORBIDDEN = [
    *(TCP, f" {TCP}", f"#x\r{TCP}", f"#x\0{TCP}", f"crypto+{TCP}", "subfile,,start,0,end,0,,:x", "http:x"),
    *(f'#EXT-X-MAP:URI="{TCP}"', f'#EXT-X-MAP:URI="\\{TCP}"', f"#EXT-X-KEY:METHOD=AES-128,URI={TCP}"),
    '#EXT-X-MEDIA:TYPE=AUDIO,URI="file:/etc/passwd"',
]


@pytest.mark.parametrize("line", FORBIDDEN)
def test_nothing_but_http_is_named(line: str) -> None:
    with pytest.raises(EgressRefused, match=r"names an address that begins with .*; allowed: https://|zero byte"):
        check_addresses(f"#EXTM3U\n#EXTINF:1,\n{line}\n".encode(), "h")
    # HTTP and relative addresses are passed on.
    for allowed in ("a.ts", "https://h/a:b", "HTTP://h/a", "/a:b.ts", "s.php?u=tcp://x", "#tcp://x"):
        check_addresses(f'#EXTM3U\n#EXTINF:1,\n{allowed}\n#EXT-X-DATERANGE:URI="data:x"\n'.encode(), "h")


def test_a_variant_that_is_not_there_gives_way_to_another(server: Server) -> None:
    master = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={n}\n{n}/index.m3u8\n" for n in (3, 2, 1))

    def opened(*variants: int) -> HlsSession:
        session = server.client().session
        read = m3u8.loads(session.playlist("https://h.test:443/all", master.encode()).decode())
        assert [each.uri for each in read.playlists] == [f"{n}/index.m3u8" for n in variants]
        return session

    opened(3).record_miss("https://h.test:443/3/index.m3u8", HTTPStatus.GATEWAY_TIMEOUT)
    for n in (3, 2, 1, 3):
        opened(n).record_miss(f"https://h.test:443/{n}/index.m3u8", HTTPStatus.GONE)
    # What has played is not played again in another quality.
    server.url, server.segments = "https://h.test:443/2/index.m3u8", [(1, "s1.ts")]
    client = server.client()
    client.session = opened(2)
    client.play()
    opened(2).record_miss(server.url, HTTPStatus.GONE)
    opened(2)


def test_discontinuities_of_the_segments_fetched_last_are_known(server: Server) -> None:
    server.list(0, 19)
    server.head = "#EXT-X-DISCONTINUITY-SEQUENCE:4\n"
    server.tags = dict.fromkeys((2, 4, 15), "#EXT-X-DISCONTINUITY\n")
    client = server.client()
    client.look()
    known = []
    for n in range(20):
        for _ in range(2):
            client.fetch(f"s{n}.ts")
        known.append(client.session.recent_tags())
    assert known == [*[[]] * 2, *[[5]] * 2, *[[5, 6]] * 4, *[[6]] * 2, *[[]] * 5, *[[7]] * 5]


@pytest.mark.parametrize("is_recording", [False, True])
def test_a_playlist_ends_before_another_format_and_the_next_opening_continues(server, is_recording) -> None:
    server.head, server.tail = '#EXT-X-MAP:URI="a.mp4?t=1"\n', "#EXT-X-ENDLIST\n" if is_recording else ""
    # A discontinuity alone is none, nor is another token.
    server.tags = {
        2: '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="a.mp4?t=2"\n',
        3: '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="b.mp4"\n',
        5: '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="a.mp4?t=3"\n',
    }
    server.list(1, 6, "s{}.m4s")
    fetched = []
    for _ in range(3):
        client = server.client()
        body = client.look()
        is_last = b"s6" in body
        assert body.count(b"#EXT-X-ENDLIST") == (not is_last or is_recording)
        assert not client.session.changes_format()
        client.fetch_all()
        fetched.append(client.fetched)
        assert client.session.changes_format() != is_last and client.session.failure() is None
        assert client.look() == body
    assert fetched == [["s1.m4s", "s2.m4s"], ["s3.m4s", "s4.m4s"], ["s5.m4s", "s6.m4s"]]


def test_other_playlists_end_after_the_one_whose_format_changes(server: Server) -> None:
    sound = Server(target_s=6, url="https://h.test:443/live/sound.m3u8", segments=[(1, "x1.m4s")])
    server.head, server.segments = '#EXT-X-MAP:URI="a.mp4"\n', [(1, "s1.m4s"), (2, "s2.m4s")]
    server.tags = {2: '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="b.mp4"\n'}
    session = server.client().session
    assert b"#EXT-X-ENDLIST" in session.playlist(server.url, server.playlist())
    assert b"#EXT-X-ENDLIST" not in session.playlist(sound.url, sound.playlist())
    server.now_s += 6
    assert b"#EXT-X-ENDLIST" in session.playlist(sound.url, sound.playlist())


KEY_FORMATS_MAX = 8


def read_with(*lines: str):
    return read_media_playlist("\n".join(("#EXTM3U", *lines)).encode())


def keys(count: int, text: str = "") -> list[str]:
    return [f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{text}",KEYFORMAT="f{n}"' for n in range(count)]


def test_keys_are_shared_and_too_many_or_too_long_ones_are_refused() -> None:
    read = read_with(*keys(KEY_FORMATS_MAX), "#EXT-X-KEY:METHOD=NONE", *keys(3), "#EXTINF:1,", "a.ts")
    assert len(read.segments[0].keys) == 3
    with pytest.raises(EgressRefused, match="keys in more than 8 formats at a time"):
        read_with(*keys(KEY_FORMATS_MAX + 1), "#EXTINF:1,", "a.ts")
    # Long keys are not written for thousands of segments.
    read = read_with(*keys(KEY_FORMATS_MAX, "u" * 10_000), *(f"#EXTINF:1,\n{n}.ts" for n in range(5_000)))
    # With other numbers, each segment has its own IVs.
    places = {each.number: SegmentPlace(each.number + 1, False, 0) for each in read.segments}
    with pytest.raises(EgressRefused, match="repeats keys that are too long"):
        write_media_playlist(read, places)
    # Segments share their keys.
    read = read_with(*keys(KEY_FORMATS_MAX), *(f'#EXT-X-MAP:URI="i{n}"\n#EXTINF:1,\n{n}.m4s' for n in range(100)))
    assert len({id(each.keys) for each in read.segments}) == 1
    assert {id(each.init[0]) for each in read.segments if each.init} == {id(read.segments[0].keys)}


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
