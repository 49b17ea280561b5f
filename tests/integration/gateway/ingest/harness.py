"""A real nginx with the product's ingest and endpoints, real senders and players, and a stub of the streams."""

import resource
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol, rtmp_server, rtmp_stream_key
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from gateway.endpoints.application import application
from gateway.ingest.config import MEMORY_BYTES_MAX, IngestConfig, render
from gateway.ingest.refusal_collector import WRITE_INTERVAL_MS, RefusalCollector, collect, listen
from tests.fakes.streams.media import MemoryMedia
from tests.fixtures.ports import free_port
from tests.integration.gateway.nginx.harness import run_nginx, serving, wsgi_server

LISTENING = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
KEY, OTHER_KEY = "k" * 24, "o" * 24
STREAMS = {
    "stream-1": Stream(stream_id="stream-1", title="x", ingest=LISTENING, ingest_key=KEY),
    "stream-2": Stream(stream_id="stream-2", title="x", ingest=LISTENING, ingest_key=OTHER_KEY),
}
GOOD = rtmp_stream_key("stream-1", KEY)
PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine"]
CODECS = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-c:a", "aac", "-f", "flv"]
QUICK = ["-analyzeduration", "500000", "-probesize", "20000"]
ENOUGH_BYTES = 20_000
ANSWER_S_MAX = 8.0
HANDSHAKE_BYTES = 1536
# A message's length has 24 bits.
LARGEST = b"\xff\xff\xfe"


@dataclass
class IngestHarness:
    """A running ingest. Tests change `streams` and `is_broken`; `lookups` counts how often a stream was looked up.

    `refusals` is what its collector has stored. Its clock is moved on for each look, so that none waits to be written.
    """

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    streams: dict[str, Stream] = field(default_factory=lambda: dict(STREAMS))
    is_broken: bool = False
    lookups: int = 0
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    media: MemoryMedia = field(default_factory=MemoryMedia)
    at_ms: int = 1_000_000

    def __post_init__(self) -> None:
        self._stored = IngestRefusals(self.media, self)
        self.collector = RefusalCollector(self._stored, self.now_ms)

    def now_ms(self) -> int:
        return self.at_ms

    def refusals(self, stream_id: str = "stream-1") -> dict[str, int]:
        """Return how often senders were refused, by code."""
        self.at_ms += WRITE_INTERVAL_MS
        self.collector.write()
        return {each.code.value: each.count for each in self._stored.newest(stream_id)}

    def stream(self, stream_id: str) -> Stream | None:
        self.lookups += 1
        if self.is_broken:
            raise StoreUnavailable("stub")
        return self.streams.get(stream_id)

    def url(self, stream_key: str) -> str:
        return f"{rtmp_server('127.0.0.1', self.port)}/{stream_key}"

    def sender(self, stream_key: str = GOOD) -> subprocess.Popen[bytes]:
        self.started.append(send(self.url(stream_key)))
        return self.started[-1]

    def player(self, stream_key: str = GOOD) -> subprocess.Popen[bytes]:
        self.started.append(play(self.url(stream_key)))
        return self.started[-1]

    def plays(self, stream_key: str = GOOD, seconds: float = 8.0) -> bool:
        return plays(self.url(stream_key), seconds)


def send(url: str) -> subprocess.Popen[bytes]:
    return _ffmpeg(["-re", *PICTURE, *CODECS, url])


def play(url: str) -> subprocess.Popen[bytes]:
    return _ffmpeg([*QUICK, "-i", url, "-c", "copy", "-f", "mpegts", "pipe:1"])


def plays(url: str, seconds: float) -> bool:
    with play(url) as player:
        timer = threading.Timer(seconds, player.kill)
        timer.start()
        assert player.stdout
        played = player.stdout.read(ENOUGH_BYTES)
        timer.cancel()
        player.kill()
    return len(played) == ENOUGH_BYTES


def connected(port: int) -> socket.socket:
    """Return a connection after its handshake and before its first message."""
    stranger = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S_MAX)
    stranger.sendall(b"\x03" + bytes(HANDSHAKE_BYTES))
    answer = b""
    while len(answer) < 1 + 2 * HANDSHAKE_BYTES:
        answer += stranger.recv(4096)
    stranger.sendall(answer[1 : 1 + HANDSHAKE_BYTES])
    return stranger


def picture(chunk_stream: int, body: bytes) -> bytes:
    """Return the first chunk of a picture of 16 MB."""
    return struct.pack(">B", chunk_stream) + bytes(3) + LARGEST + b"\x09" + bytes(4) + body


def closed(stranger: socket.socket) -> bool:
    try:
        return stranger.recv(1) == b""
    except OSError:
        return True


def _ffmpeg(arguments: list[str]) -> subprocess.Popen[bytes]:
    command = ["ffmpeg", "-nostdin", "-v", "error", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@contextmanager
def run_ingest(memory_bytes_max: int = MEMORY_BYTES_MAX) -> Iterator[IngestHarness]:
    """Run an ingest, and end it with its clients. Assert that it logged and stored no key."""
    with TemporaryDirectory(prefix="tc in-") as directory, TemporaryDirectory(prefix="tcin-", dir="/tmp") as sockets:
        config = IngestConfig(
            listen=f"127.0.0.1:{free_port()}",
            hook_socket=Path(sockets) / "ingest.sock",
            endpoints_socket=Path(sockets) / "endpoints.sock",
            refusals_socket=Path(sockets) / "refusals.sock",
            state_dir=Path(directory),
        )
        receiver, endpoints = listen(config.refusals_socket), wsgi_server(config.endpoints_socket)
        memory = (memory_bytes_max, memory_bytes_max)
        options = {"cwd": sockets, "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, memory)}
        with serving(endpoints), run_nginx(config, render(config), **options) as (process, log):
            running = IngestHarness(int(config.listen.split(":")[1]), process, log)
            # Of the services, the ingest uses only this one.
            endpoints.set_app(application(SimpleNamespace(find_stream=running.stream)))
            with _collecting(running, receiver):
                yield running
        logged = log.read_text() + repr(running.media.objects)
    assert not [key for key in (KEY, OTHER_KEY) if key in logged]


@contextmanager
def _collecting(running: IngestHarness, receiver: socket.socket) -> Iterator[None]:
    over = threading.Event()
    reader = threading.Thread(target=collect, args=(running.collector, receiver, over), daemon=True)
    reader.start()
    try:
        yield
    finally:
        for process in running.started:
            with process:  # Closes its pipe and waits.
                process.kill()
        over.set()
        reader.join(5)
        receiver.close()
