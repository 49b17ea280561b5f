"""Proxy variables in the environment, as desktops and VPN clients set them."""

import pytest

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player

ELSEWHERE = "http://tv.example.org"
DEAD_PROXY = "http://127.0.0.1:9"  # no server


def log_in(player: Player, server: str, **environment: str) -> int:
    player.server = server
    return player.login(**environment).returncode


LOGIN = "login --email demo@local --password-stdin"


@pytest.mark.parametrize("words", [LOGIN, "play stream-1 --headless", "ledger", "status"])
def test_each_command_names_the_bad_variable(player: Player, words: str) -> None:
    player.server = ELSEWHERE
    done = player.run(*words.split(), stdin="demo\n", ALL_PROXY="socks5://user:secret-word@127.0.0.1:1080")
    assert done.returncode == 5 and len(done.stderr.splitlines()) <= 2, done.stderr
    message = done.stderr.splitlines()[-1]
    assert message.startswith("Error: ALL_PROXY names a socks5:// proxy, but player can use HTTP proxies only"), message
    assert "NO_PROXY=tv.example.org" in message and "secret-word" not in done.stderr


def test_logout_deletes_the_login_even_with_a_bad_proxy(viewer: Player, platform: PlatformServer) -> None:
    assert log_in(viewer, ELSEWHERE, http_proxy=platform.url) == 0
    done = viewer.run("logout", all_proxy="socks://127.0.0.1:1080/")
    assert done.returncode == 5 and "all_proxy names" in done.stderr and "is deleted here" in done.stderr
    assert "were not logged in" in viewer.run("logout", http_proxy=platform.url).stdout


def test_a_proxy_is_used_and_named_when_it_fails(player: Player, platform: PlatformServer) -> None:
    assert log_in(player, ELSEWHERE, HTTP_PROXY=platform.url, ALL_PROXY="socks5://127.0.0.1:1080") == 0
    assert platform.proxied == [ELSEWHERE]
    assert "stream-1" in player.run("streams", ALL_PROXY=platform.url.removeprefix("http://")).stdout
    done = player.run("streams", http_proxy=DEAD_PROXY, HTTP_PROXY=platform.url)
    assert done.returncode == 5 and "the proxy that http_proxy names" in done.stderr


def test_an_excluded_server_is_reached_without_the_proxy(player: Player, platform: PlatformServer) -> None:
    with platform.mapped() as mapped:
        for excluded in ("localhost,[::1],127.0.0.2", "127.0.0.0/8", "*"):
            assert log_in(player, mapped.url, ALL_PROXY="socks5://127.0.0.1:1080", NO_PROXY=excluded) == 0, excluded
        done = player.run("status", HTTP_PROXY=DEAD_PROXY, NO_PROXY="localhost,[::1]")
        assert done.returncode == 5 and "the proxy that HTTP_PROXY names" in done.stderr


def test_this_machine_is_reached_without_a_proxy(viewer: Player) -> None:
    assert viewer.run("status", http_proxy=DEAD_PROXY, ALL_PROXY="socks5://127.0.0.1:1080").returncode == 0


def test_media_use_the_proxy_and_mpv_does_not(player: Player, platform: PlatformServer) -> None:
    platform.media_url = ELSEWHERE
    assert log_in(player, ELSEWHERE, http_proxy=platform.url) == 0
    playback = player.play(mpv=(f"--http-proxy={DEAD_PROXY}",), http_proxy=platform.url, HTTP_PROXY=platform.url)
    platform.wait_for_media()
    eventually(lambda: playback.mpv("get_property", "time-pos"), 10, "a picture")
    assert set(platform.proxied) == {ELSEWHERE}, "mpv does not use the proxy"
    assert playback.quit()[0] == 0
