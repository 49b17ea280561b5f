"""A server of one media playlist and clients behind the proxy's HLS session, without sockets."""

from dataclasses import dataclass, field

import m3u8
import pytest

from worker.ingest.errors import EgressRefused
from worker.ingest.hls.addresses import absolute_url
from worker.ingest.hls.played import PlayedSegments
from worker.ingest.hls.session import HlsSession


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
    now_s: float = 0.0
    played: PlayedSegments = field(default_factory=PlayedSegments)

    def playlist(self) -> bytes:
        first = self.segments[0][0] if self.segments else 0
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:{self.target_s}\n#EXT-X-MEDIA-SEQUENCE:{first}\n{self.head}"
        for number, uri in self.segments:
            text += f"{self.tags.get(number, '')}#EXTINF:{self.target_s}.0,\n{uri}\n"
        return (text + self.tail).encode()

    def list(self, first: int, last: int, name: str = "s{}.ts") -> None:
        """List the segments with these numbers, both included."""
        self.segments = [(n, name.format(n)) for n in range(first, last + 1)]

    def start(self, uri: str, byte_range: str) -> bytes:
        name = uri.rpartition("/")[2].partition("?")[0]
        return (self.content_of.get(name, f"{self.contents} {name}") + byte_range).ljust(188).encode()

    def client(self) -> "Client":
        return Client(self)

    def refusal(self) -> str:
        """Return why another opening is refused."""
        with pytest.raises(EgressRefused) as refused:
            self.client().look()
        return str(refused.value)


class Client:
    """An opening of the source."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.session = HlsSession(played=server.played, clock=lambda: server.now_s)
        self.fetched: list[str] = []
        self._listed: list[tuple[int, str]] = []
        self._has: set[tuple[int, str]] = set()

    def look(self) -> bytes:
        body = self.session.playlist(self.server.url, self.server.playlist())
        self._listed = _names(body)
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
        for number, uri in self._listed:
            if (number, uri.partition("?")[0]) not in self._has:
                self._has.add((number, uri.partition("?")[0]))
                self.fetch(uri)

    def play(self) -> "Client":
        """Look, and fetch all."""
        self.look()
        self.fetch_all()
        return self

    def fails_within(self, seconds: int, *others: "Client") -> float:
        """Poll three times in a target; return when it fails."""
        for n in range(seconds * 10):
            if n % 20 == 0:
                for client in (self, *others):
                    client.look()
            if self.session.failure():
                return self.server.now_s
            self.server.now_s += 0.1
        raise AssertionError("it never fails")


def _names(body: bytes) -> list[tuple[int, str]]:
    read = m3u8.loads(body.decode())
    return [(read.media_sequence + n, each.uri) for n, each in enumerate(read.segments)]
