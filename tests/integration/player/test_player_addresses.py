"""Media behind an address that the viewer cannot use: a mapped port, a tunnel, a wrong name."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer, WsgiServer
from tests.integration.player.player_harness import Player, PlayProcess

DEAD = "http://127.0.0.1:9"  # no server


@contextmanager
def program(status: int) -> Iterator[str]:
    """Run a program that is not the gateway: it sends the same page or refusal for every path."""

    def page(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response(f"{status} Page", [("Content-Type", "text/html"), ("Content-Length", "4")])
        return [b"page"]

    with closing(WsgiServer(page)) as server:
        yield server.url


def check_playing(platform: PlatformServer, playback: PlayProcess) -> None:
    platform.wait_for_media()
    platform.wait_for("POST", "/playback/heartbeat", 1)
    eventually(lambda: playback.mpv("get_property", "time-pos"), 10, "a picture")
    assert playback.quit()[0] == 0


def test_behind_a_mapped_port_media_come_from_the_login_address(platform: PlatformServer, player: Player) -> None:
    with platform.mapped() as mapped:
        platform.media_url, player.server = DEAD, mapped.url
        assert player.login().returncode == 0
        check_playing(platform, player.play())


@pytest.mark.parametrize("status", [200, 403])
def test_another_program_at_the_named_address_is_not_used(
    platform: PlatformServer, viewer: Player, status: int
) -> None:
    with program(status) as platform.media_url:
        check_playing(platform, viewer.play())


@pytest.fixture(params=["nothing", "another program"])
def bad_address(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """An address without a gateway, and the reason in the message."""
    if request.param == "nothing":
        yield DEAD, "Connection refused"
        return
    with program(403) as url:
        yield url, "it answers 403"


def test_unreachable_media_are_reported_with_addresses_and_cost_one_lease_at_most(
    platform: PlatformServer, viewer: Player, bad_address: tuple[str, str]
) -> None:
    named, fault = bad_address
    platform.media_url, platform.dead_paths = named, ("/play/",)
    status, receipt = viewer.play().finish()
    assert status == 5
    assert f"cannot be reached: {named} ({fault}), {platform.url} (" in receipt["message"]
    assert receipt["settled"] and receipt["spent_millipoints"] <= 2_000
    assert platform.seen("POST", "/playback/heartbeat") == []
