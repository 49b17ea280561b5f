"""The playlists of one opening as the proxy passes them on."""

from http import HTTPStatus

import m3u8
import pytest

from tests.unit.worker.ingest.hls_server import Client, Clock, Server
from worker.ingest.errors import EgressRefused
from worker.ingest.hls.addresses import check_addresses
from worker.ingest.hls.played import PLAYLISTS_MAX, PlayedSegments
from worker.ingest.hls.session import HlsSession

GONE = HTTPStatus.GONE


def test_a_sliding_window_is_passed_on_byte_for_byte(server: Server, clock: Clock, played: PlayedSegments) -> None:
    client = Client(server, clock, played)
    for n in range(100, 200):
        server.segments = [(i, f"s{i}.ts?token={n}") for i in range(n, n + 5)]
        server.head = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n"  # fmt: skip
        assert client.look() == server.playlist()
        client.fetch_all()
        clock.now_s += 6
        assert client.session.failure() is None and client.session.stillness() is None


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


def test_media_playlists_are_bounded(clock: Clock, played: PlayedSegments) -> None:
    session = Client(Server(6), clock, played).session
    for n in range(PLAYLISTS_MAX):
        session.playlist(f"https://h.test:443/{n}", Server(6).playlist())
    with pytest.raises(EgressRefused, match="more than 32 media playlists"):
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


def test_a_variant_that_is_not_there_gives_way_to_another(server: Server, clock: Clock, played: PlayedSegments) -> None:
    master = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={n}\n{n}/index.m3u8\n" for n in (3, 2, 1))

    def opened(*variants: int) -> HlsSession:
        session = HlsSession(played=played, clock=clock)
        read = m3u8.loads(session.playlist("https://h.test:443/all", master.encode()).decode())
        assert [each.uri for each in read.playlists] == [f"{n}/index.m3u8" for n in variants]
        return session

    opened(3).record_miss("https://h.test:443/3/index.m3u8", HTTPStatus.GATEWAY_TIMEOUT)
    opened(3).record_miss("https://h.test:443/3/index.m3u8", GONE)
    opened(2).record_miss("https://h.test:443/2/index.m3u8", GONE)
    opened(1).record_miss("https://h.test:443/1/index.m3u8", GONE)
    opened(3).record_miss("https://h.test:443/3/index.m3u8", GONE)
    # What has played is not played again in another quality.
    server.url, server.segments = "https://h.test:443/2/index.m3u8", [(1, "s1.ts")]
    client = Client(server, clock, played)
    client.session = opened(2)
    client.look()
    client.fetch_all()
    opened(2).record_miss(server.url, GONE)
    opened(2)


def test_discontinuities_of_the_segments_fetched_last_are_known(
    server: Server, clock: Clock, played: PlayedSegments
) -> None:
    server.segments, server.head = [(n, f"s{n}.ts") for n in range(20)], "#EXT-X-DISCONTINUITY-SEQUENCE:4\n"
    server.tags = dict.fromkeys((2, 4, 15), "#EXT-X-DISCONTINUITY\n")
    client = Client(server, clock, played)
    client.look()
    known = []
    for n in range(20):
        for _ in range(2):
            client.fetch(f"s{n}.ts")
        known.append(client.session.recent_tags())
    assert known[:10] == [[], [], [5], [5], [5, 6], [5, 6], [5, 6], [5, 6], [6], [6]]
    assert known[10:15] == [[]] * 5 and known[15:] == [[7]] * 5
