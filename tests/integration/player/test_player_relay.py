"""The relay without mpv: access, the token, refusals and playlists."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from player.endings import Ending
from player.media.credentials import CredentialsProvider, MediaCredentials
from player.media.relay import Relay
from player.media.upstream import Upstream
from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer


@dataclass
class Rig:
    platform: PlatformServer
    credentials: CredentialsProvider = field(default_factory=CredentialsProvider)
    endings: list[Ending] = field(default_factory=list)
    heartbeats: int = 0
    restarts: int = 0

    def __post_init__(self) -> None:
        self.state = self.platform.start()
        upstream = Upstream(
            self.credentials, self.send_heartbeat, self.restart_session, self.endings.append, self.platform.url
        )
        self.relay = Relay(self.credentials, upstream)
        self.relay.start()
        self.issue(self.state)

    def issue(self, state: dict[str, Any]) -> None:
        self.credentials.update(MediaCredentials(state["play_url"].rsplit("/", 1)[0], state["play_token"]))

    def send_heartbeat(self) -> None:
        self.heartbeats += 1
        self.issue(self.platform.heartbeat(self.state["session_id"], self.state["seq"] + 1))

    def restart_session(self) -> None:
        self.restarts += 1
        self.state = self.platform.start()
        self.issue(self.state)

    def ask(
        self, path: str | None = None, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(self.relay.host, timeout=20)
        try:
            connection.request(method, path or f"/{self.relay.secret}/index.m3u8", headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()


@pytest.fixture
def rig(platform: PlatformServer) -> Iterator[Rig]:
    rig = Rig(platform)
    yield rig
    rig.relay.close()


def test_other_programs_cannot_use_it(rig: Rig) -> None:
    secret = rig.relay.secret
    asked = len(rig.platform.requests)
    for path in ("/index.m3u8", "/wrong/index.m3u8", f"/{secret}", f"/{secret}/", f"/{secret}/../x", f"/{secret}/a//b"):
        assert rig.ask(path)[0] == 404, path
    for path in (f"/{secret}/%2e%2e/x", f"/{secret}/index.m3u8?x=1", f"/{secret}/.hidden", f"/{secret}/{'a' * 500}"):
        assert rig.ask(path)[0] == 404, path
    assert rig.ask(headers={"Host": "evil.example:80"})[0] == 404
    assert rig.ask(method="POST")[0] == 501 and rig.ask(method="PUT")[0] == 501
    assert len(rig.platform.requests) == asked


def test_a_heartbeat_replaces_an_expired_token(rig: Rig) -> None:
    rig.issue({**rig.state, "play_token": "p.unknown"})
    assert rig.ask()[0] == 200
    assert rig.heartbeats == 1 and rig.endings == []


def test_a_session_bound_elsewhere_is_restarted_without_a_heartbeat(rig: Rig) -> None:
    rig.platform.bind_elsewhere(rig.state["session_id"], rig.state["play_token"])
    assert rig.ask()[0] == 200
    assert (rig.restarts, rig.heartbeats, rig.endings) == (1, 0, [])


@pytest.mark.parametrize("reason", ["kicked", "stream_paused", "viewer_stopped"])
def test_a_final_refusal_ends_the_session_at_once(rig: Rig, reason: str) -> None:
    rig.platform.end(reason)
    assert rig.ask()[0] == 410
    assert [ending.end_reason for ending in rig.endings] == [reason] and rig.heartbeats == 0
    asked = len(rig.platform.requests)
    assert rig.ask()[0] == 410 and len(rig.platform.requests) == asked, "after the end nothing is fetched"


def test_a_closed_connection_fetches_nothing(rig: Rig) -> None:
    rig.credentials.hold()
    connection = http.client.HTTPConnection(rig.relay.host, timeout=5)
    connection.request("GET", f"/{rig.relay.secret}/index.m3u8")
    time.sleep(0.2)
    connection.close()
    time.sleep(0.2)
    rig.credentials.release()
    time.sleep(0.3)
    assert rig.platform.requests == []


def test_an_outage_is_retried_and_then_reported(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("player.media.upstream.RETRY_DELAYS_S", (0.2, 0.5))
    rig.platform.media_status = 503
    threading.Timer(0.4, lambda: setattr(rig.platform, "media_status", 200)).start()
    assert rig.ask()[0] == 200
    rig.platform.media_status = 503
    assert rig.ask()[0] == 503
    assert rig.relay.upstream.failing_s > 0.5
    rig.relay.upstream.reset_failures()
    assert rig.relay.upstream.failing_s == 0


@pytest.fixture
def held(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A segment that the gateway answers with 429."""
    monkeypatch.setattr("player.media.upstream.RETRY_AFTER_S", 0.1)
    (tmp_path / "1.ts").write_bytes(b"G" * 188)
    rig.platform.media.directory = tmp_path
    rig.platform.media_status = 429
    yield rig


def segments_asked(rig: Rig) -> int:
    return len(rig.platform.seen("GET", f"/play/{rig.state['session_id']}/1.ts"))


def test_a_segment_ahead_of_payment_is_sent_once_it_is_paid(held: Rig) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(held.ask, f"/{held.relay.secret}/1.ts")
        eventually(lambda: segments_asked(held) >= 3, 5, "it is requested again")
        assert held.relay.upstream.is_ahead_of_payment and not answer.done()
        held.platform.media_status = 200
        assert answer.result(5)[:2] == (200, b"G" * 188)
    assert not held.relay.upstream.is_ahead_of_payment and held.relay.upstream.failing_s == 0
    assert held.heartbeats == 0, "the next one pays at its time"


def test_a_segment_that_is_never_paid_is_given_up(held: Rig) -> None:
    assert held.ask(f"/{held.relay.secret}/1.ts")[0] == 429
    assert segments_asked(held) == 13


def test_a_segment_that_mpv_no_longer_wants_is_not_requested_again(held: Rig) -> None:
    connection = http.client.HTTPConnection(held.relay.host, timeout=5)
    connection.request("GET", f"/{held.relay.secret}/1.ts")
    eventually(lambda: segments_asked(held) >= 2, 5, "it is requested again")
    connection.close()
    eventually(lambda: not held.relay.upstream.is_ahead_of_payment, 5, "no more")
    assert segments_asked(held) < 13


def test_the_end_of_the_stream_is_noticed(rig: Rig, tmp_path: Any) -> None:
    (tmp_path / "index.m3u8").write_text("#EXTM3U\n#EXT-X-ENDLIST\n")
    rig.platform.media.directory = tmp_path
    assert rig.ask()[0] == 200
    eventually(lambda: rig.relay.saw_end_of_stream, 1, "the end is noticed")


@pytest.fixture
def live(rig: Rig, tmp_path: Path) -> Callable[[str], None]:
    """Write the stream's playlist. Its first version, with one segment, was sent before."""

    def write(body: str) -> None:
        fresh = tmp_path / "fresh"
        fresh.write_text(body)
        fresh.replace(tmp_path / "index.m3u8")

    write("#EXTM3U\n#EXTINF:2,\n1.ts\n")
    rig.platform.media.directory = tmp_path
    assert rig.ask()[:2] == (200, b"#EXTM3U\n#EXTINF:2,\n1.ts\n")
    return write


def test_a_playlist_is_sent_as_soon_as_it_changes(rig: Rig, live: Callable[[str], None]) -> None:
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(rig.ask)
        rig.platform.wait_for("GET", "/play/", 3)
        assert not answer.done() and [request[3] for request in rig.platform.requests] == [200, 304, 304]
        live("#EXTM3U\n#EXTINF:2,\n2.ts\n")
        assert answer.result(10)[:2] == (200, b"#EXTM3U\n#EXTINF:2,\n2.ts\n")


def test_an_unchanged_playlist_is_sent_after_a_while(
    rig: Rig, live: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("player.media.relay.POLL_S_MAX", 0.5)
    status, body, headers = rig.ask()
    assert (status, body) == (200, b"#EXTM3U\n#EXTINF:2,\n1.ts\n")
    assert headers["content-type"] == "application/vnd.apple.mpegurl"


def test_a_multivariant_playlist_is_not_polled(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "index.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n")
    rig.platform.media.directory = tmp_path
    assert [rig.ask()[0] for _ in range(2)] == [200, 200]
    assert [request[3] for request in rig.platform.requests] == [200, 200]
