"""The proxy's limits: what it does not speak, how much it takes, how long it waits."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from chalicelib.domain.streams.source_urls import check_source_url
from tests.fixtures.authority import Authority
from tests.fixtures.waiting import eventually
from tests.integration.worker.origins import Listener, Origin, Page
from tests.integration.worker.puller import WIDE, rules
from worker.ingest.egress import connections, http
from worker.ingest.egress import proxy as egress_module
from worker.ingest.egress.proxy import Egress


@pytest.fixture
def origin(authority: Authority) -> Iterator[Origin]:
    with Origin("127.0.0.2", authority.context("127.0.0.2")) as it:
        it.put("/good.ts", b"media")
        yield it


@contextmanager
def proxy(authority: Authority, url: str, port: int, lookup=None) -> Iterator[Egress]:
    allowed = rules(authority, port, lookup=lookup)
    it = Egress(check_source_url(url, ports=allowed.ports, networks=WIDE), allowed)
    it.start()
    try:
        yield it
    finally:
        it.stop()
        eventually(lambda: not served(), 5, "its threads end", served)


def served() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "egress"]


def connected(egress: Egress) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(egress.url.rpartition(":")[2])), timeout=10)


def asked(egress: Egress, request: str) -> bytes:
    with connected(egress) as client:
        client.sendall(request.encode())
        return b"".join(iter(lambda: client.recv(65_536), b""))


def get(url: str) -> str:
    return f"GET http{url.removeprefix('https')} HTTP/1.1\r\nHost: x\r\n\r\n"


REFUSED = {
    "CONNECT {at} HTTP/1.1": 405,
    "POST http://{at}/good.ts HTTP/1.1": 405,
    "HEAD http://{at}/good.ts HTTP/1.1": 405,
    "GET /good.ts HTTP/1.1": 405,
    "GET https://{at}/good.ts HTTP/1.1": 405,
    "GET ftp://{at}/good.ts HTTP/1.1": 405,
    "GET http://user@{at}/good.ts HTTP/1.1": 403,
    "GET http://{at}/good ts HTTP/1.1": 400,
    "GET http://{at}/good.ts HTTP/2": 400,
    "nonsense": 400,
}


def test_https_is_asked_by_get_and_nothing_else(authority: Authority, origin: Origin) -> None:
    with proxy(authority, origin.url, origin.port) as egress:
        for line, status in REFUSED.items():
            answer = asked(egress, line.format(at=f"127.0.0.2:{origin.port}") + "\r\n\r\n")
            assert answer.startswith(f"HTTP/1.1 {status} ".encode()) and egress.last_refusal, line
        assert origin.asked == []
        assert asked(egress, get(f"{origin.url}/good.ts")).endswith(b"\r\n\r\nmedia")


def test_the_tunnel_leads_to_the_source_and_nowhere_else(authority: Authority) -> None:
    with Listener("127.0.0.2") as there, proxy(authority, f"rtmps://127.0.0.2:{there.port}/a/b", there.port) as egress:
        for wrong in ("127.0.0.1:{0}", "127.0.0.2:{1}", "127.0.0.2:{0}@x"):
            request = f"CONNECT {wrong.format(there.port, there.port + 1)} HTTP/1.1\r\n\r\n"
            assert asked(egress, request).startswith(b"HTTP/1.1 403 ")
        assert asked(egress, get(f"https://127.0.0.2:{there.port}/")).startswith(b"HTTP/1.1 403 ")
        assert there.hits() == 0
        assert asked(egress, f"CONNECT 127.0.0.2:{there.port} HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert there.hits() == 1


def test_headers_are_bounded(authority: Authority, origin: Origin) -> None:
    with proxy(authority, origin.url, origin.port) as egress:
        request = get(f"{origin.url}/good.ts").replace("x\r\n\r\n", "x" * http.HEAD_BYTES_MAX)
        assert asked(egress, request).startswith(b"HTTP/1.1 431 ")


def test_connections_are_bounded_and_come_free_again(authority: Authority, origin: Origin) -> None:
    with proxy(authority, origin.url, origin.port) as egress:
        with ExitStack() as held:
            for _ in range(egress_module.CONNECTIONS_MAX):
                held.enter_context(connected(egress))
            with connected(egress) as one_more:
                assert one_more.recv(1) == b""
            assert egress.last_refusal and "connections at a time" in egress.last_refusal
        eventually(lambda: b"media" in reply(egress, origin), 10, "a place comes free")


def reply(egress: Egress, origin: Origin) -> bytes:
    try:
        return asked(egress, get(f"{origin.url}/good.ts"))
    except OSError:
        return b""


def test_waiting_is_bounded(authority: Authority, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress_module, "IDLE_S_MAX", 0.2)
    monkeypatch.setattr(connections, "CONNECT_S_MAX", 0.2)
    over = threading.Event()

    def silent() -> Iterator[bytes]:
        over.wait(20)
        yield b""

    def lookup(host: str) -> list[str]:
        over.wait(20)
        return ["127.0.0.2"]

    origin.pages["/silent.ts"] = Page(silent())
    # It takes connections in, and no TLS is spoken by it.
    with socket.create_server(("127.0.0.2", 0)) as mute:
        mute_port = mute.getsockname()[1]
        with proxy(authority, origin.url, origin.port, lookup) as egress:
            for url, reason in (
                (f"{origin.url}/silent.ts", "stopped answering"),
                (f"https://slow.test:{origin.port}/x.ts", "was not resolved within"),
            ):
                assert b" 200 " not in asked(egress, get(url)) and reason in str(egress.last_refusal)
            with connected(egress) as idle:
                assert idle.recv(1) == b""
        with proxy(authority, f"https://127.0.0.2:{mute_port}", mute_port) as egress:
            assert asked(egress, get(f"https://127.0.0.2:{mute_port}/x.ts")).startswith(b"HTTP/1.1 502 ")
            assert "TLS" in str(egress.last_refusal) and "timed out" in str(egress.last_refusal)
        with proxy(authority, f"rtmps://127.0.0.2:{mute_port}/a/b", mute_port) as egress:
            assert asked(egress, f"CONNECT 127.0.0.2:{mute_port} HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")
            assert "sent nothing" in str(egress.last_refusal)
    over.set()


def test_playlists_are_bounded(authority: Authority, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PLAYLIST_BYTES_MAX", 10_000)
    origin.put("/long.m3u8", "#EXTM3U\n" + "#\n" * 10_000)
    origin.pages["/endless.m3u8"] = Page(b"#EXTM3U\n" + b"#" * 5_000 for _ in range(10))
    with proxy(authority, origin.url, origin.port) as egress:
        for name in ("long", "endless"):
            assert asked(egress, get(f"{origin.url}/{name}.m3u8")).startswith(b"HTTP/1.1 502 ")
            assert "more than 10000 bytes" in str(egress.last_refusal)


def test_answers_that_ffmpeg_must_not_see(authority: Authority, origin: Origin) -> None:
    origin.put("/gone.ts", "secret words", status=410)
    origin.put("/odd.ts", "", status=799)
    origin.put("/away.ts", "", status=301, Location="/elsewhere")
    origin.put("/zipped.m3u8", gzip.compress(b"#EXTM3U\n"), Content_Encoding="gzip")
    origin.put("/folded.ts", "x", Content_Type="video/mp2t\r\n Location: http://127.0.0.1/")
    with proxy(authority, origin.url, origin.port) as egress:
        for name, status in (("gone.ts", 410), ("odd.ts", 502), ("away.ts", 403), ("zipped.m3u8", 502)):
            answer = asked(egress, get(f"{origin.url}/{name}"))
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())
            assert answer.endswith(b"\r\nContent-Length: 0\r\n\r\n")
        head = asked(egress, get(f"{origin.url}/folded.ts")).partition(b"\r\n\r\n")[0]
        assert b"\nLocation" not in head and b"\n Location" not in head
        assert egress.last_refusal == f"127.0.0.2:{origin.port} answers in an encoding that was not asked for"


def test_a_refusal_is_not_quoted_for_ever(
    authority: Authority, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(authority, origin.url, origin.port) as egress:
        assert asked(egress, "nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        said = egress.last_refusal
        assert said
        monkeypatch.setattr(egress_module, "REFUSAL_S_MAX", 0.0)
        assert egress.last_refusal is None
        monkeypatch.undo()
        assert egress.last_refusal == said


def test_a_source_that_is_refused_for_ever_other_reasons_fills_no_log(
    authority: Authority, origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    with proxy(authority, origin.url, origin.port) as egress:
        for n in range(3):
            origin.put("/away.ts", b"", 302, Location=f"https://h{n}.example/x")
            assert asked(egress, get(f"{origin.url}/away.ts")).startswith(b"HTTP/1.1 403 ")
        assert egress.last_refusal and "h2.example" in egress.last_refusal
    assert [record.message for record in caplog.records] == ["a source is refused"]


def test_all_addresses_are_tried(authority: Authority, origin: Origin) -> None:
    with Origin("127.0.0.2", authority.context("two.test")) as two:
        two.put("/good.ts", b"media")
        lookup = {"two.test": ["127.0.0.3", "127.0.0.2"]}.__getitem__
        with proxy(authority, f"https://two.test:{two.port}", two.port, lookup) as egress:
            assert asked(egress, get(f"https://two.test:{two.port}/good.ts")).endswith(b"media")
