"""rtmps and srt sources from real senders, by the proxy's tunnel and by a pinned address."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from chalicelib.domain.streams.source_urls import check_source_url
from tests.fixtures.authority import Authority
from tests.fixtures.ports import free_port
from tests.fixtures.waiting import eventually
from tests.integration.worker.origins import Front, Listener
from tests.integration.worker.puller import OUTSIDE, WIDE, Puller, run
from worker.ingest.pull_options import pull_request

NAME, INNER_NAME = "outer.test", "inner.test"
NAMES = {NAME: [["127.0.0.2"]], INNER_NAME: [["127.0.0.1"]]}


@contextmanager
def sender(media: Path, argv: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a sender that waits for a player, and then sends for as long as it stays."""
    loop = ["ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(media / "whole.mp4")]
    process = subprocess.Popen([*loop, "-c", "copy", *argv], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Return whether the kernel has a TCP listener there; a connection would use the sender up."""
    return any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
    )


@pytest.fixture
def front(authority: Authority) -> Iterator[Front]:
    with Front("127.0.0.2", authority.context(NAME, INNER_NAME), free_port()) as it:
        yield it


def test_rtmps_plays_by_the_tunnel(authority: Authority, media: Path, front: Front) -> None:
    puller = Puller(authority, frozenset({front.port}), NAMES)
    with sender(media, ["-f", "flv", "-listen", "1", f"rtmp://127.0.0.1:{front.behind}/app/key"]):
        eventually(lambda: listens(front.behind), 20, "the RTMP server listens")
        pulled = puller.pull(f"rtmps://{NAME}:{front.port}/app/key")
    assert (pulled.status, pulled.refusal) == (0, None), pulled
    assert pulled.media_bytes > 10_000


def test_rtmps_is_not_played_from_a_server_of_another_name(authority: Authority, front: Front, tmp_path: Path) -> None:
    for trusted, name in ((authority, "127.0.0.2"), (Authority(tmp_path), NAME)):
        pulled = Puller(trusted, frozenset({front.port}), NAMES).pull(f"rtmps://{name}:{front.port}/app/key")
        assert pulled.media_bytes == 0
        assert "does not match hostname" in pulled.said or "failed verification" in pulled.said


def test_rtmps_does_not_reach_inside(authority: Authority) -> None:
    with Listener("127.0.0.1") as inside:
        puller = Puller(authority, frozenset({inside.port}), NAMES)
        pulled = puller.pull(f"rtmps://{INNER_NAME}:{inside.port}/app/key")
        assert inside.hits() == 0 and pulled.refusal and "127.0.0.1, which is not public" in pulled.refusal
        puller.pull(f"rtmps://{INNER_NAME}:{inside.port}/app/key", networks=WIDE)
        assert inside.hits() > 0, "without the guard it must be reached"


def test_srt_plays_from_a_pinned_address(media: Path) -> None:
    port = free_port()
    secret = "passphrase=correct-horse&pbkeylen=32"
    with sender(media, ["-f", "mpegts", f"srt://127.0.0.2:{port}?mode=listener&{secret}"]):
        source = check_source_url(f"srt://{NAME}:{port}?streamid=%23!::r=live&latency=120000&{secret}")
        pulled = run(pull_request(source, ip_address("127.0.0.2")))
    assert pulled.status == 0 and pulled.media_bytes > 10_000, pulled
    assert check_source_url(f"srt://127.0.0.2:{port}", networks=OUTSIDE).address == ip_address("127.0.0.2")
