"""A server of one media playlist and a client behind the proxy's HLS session, without sockets."""

from dataclasses import dataclass, field

import m3u8

from worker.ingest.hls.addresses import absolute_url
from worker.ingest.hls.played import PlayedSegments
from worker.ingest.hls.session import HlsSession


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Server:
    """A playlist. `segments` are numbers and URIs; each holds its URI and `contents`, or what `content_of` has."""

    target_s: int
    url: str = "https://h.test:443/live/index.m3u8"
    segments: list[tuple[int, str]] = field(default_factory=list)
    tags: dict[int, str] = field(default_factory=dict)
    head: str = ""
    tail: str = ""
    contents: str = "first"
    content_of: dict[str, str] = field(default_factory=dict)

    def playlist(self) -> bytes:
        first = self.segments[0][0] if self.segments else 0
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:{self.target_s}\n#EXT-X-MEDIA-SEQUENCE:{first}\n{self.head}"
        for number, uri in self.segments:
            text += f"{self.tags.get(number, '')}#EXTINF:{self.target_s}.0,\n{uri}\n"
        return (text + self.tail).encode()

    def start(self, uri: str, byte_range: str) -> bytes:
        name = uri.rpartition("/")[2].partition("?")[0]
        return (self.content_of.get(name, f"{self.contents} {name}") + byte_range).ljust(188).encode()


class Client:
    """An opening of the source."""

    def __init__(self, server: Server, clock: Clock, played: PlayedSegments) -> None:
        self.server, self.clock = server, clock
        self.session = HlsSession(played=played, clock=clock)
        self.fetched: list[str] = []
        self._listed: list[str] = []
        self._has: set[tuple[int, str]] = set()

    def look(self) -> bytes:
        body = self.session.playlist(self.server.url, self.server.playlist())
        self._listed = [f"{n} {uri}" for n, uri in _names(body)]
        return body

    def names(self) -> list[tuple[int, str]]:
        """Return the numbers and URIs that are passed on."""
        return _names(self.look())

    def fetch(self, uri: str, byte_range: str = "") -> None:
        self.fetched.append(uri)
        accept = self.session.segment(absolute_url(self.server.url, uri), byte_range)
        assert accept, uri
        accept(self.server.start(uri, byte_range), 1_000)

    def fetch_all(self) -> None:
        """Fetch the listed segments that were not fetched yet."""
        for each in self._listed:
            number, _, uri = each.partition(" ")
            if (int(number), uri.partition("?")[0]) not in self._has:
                self._has.add((int(number), uri.partition("?")[0]))
                self.fetch(uri)

    def fails_within(self, seconds: int, *others: "Client") -> float:
        """Poll three times in a target; return when it fails."""
        for n in range(seconds * 10):
            if n % 20 == 0:
                for client in (self, *others):
                    client.look()
            if self.session.failure():
                return self.clock.now_s
            self.clock.now_s += 0.1
        raise AssertionError("it never fails")


def _names(body: bytes) -> list[tuple[int, str]]:
    read = m3u8.loads(body.decode())
    return [(read.media_sequence + n, each.uri) for n, each in enumerate(read.segments)]
