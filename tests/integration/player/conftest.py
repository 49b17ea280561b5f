"""A live HLS stream made by ffmpeg, the real app that sells it, and the player that watches it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from player.auth.account import Account
from player.auth.tokens import TokenStore
from player.auth.vault import Vault, VaultError
from player.http.client import Http
from tests.integration.player.memory_platform import EMAIL, PASSWORD
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, wait_until

MEDIA_ARGV = [
    "ffmpeg", "-nostdin", "-loglevel", "error",
    "-re", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-re", "-f", "lavfi", "-i", "sine=frequency=440",
    "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-sc_threshold", "0",
    "-c:a", "aac", "-b:a", "32k", "-f", "hls", "-hls_time", "1", "-hls_list_size", "10",
    "-hls_flags", "delete_segments+independent_segments+temp_file+omit_endlist",
]  # fmt: skip


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in which ffmpeg writes a live stream."""
    directory = tmp_path_factory.mktemp("media")
    ffmpeg = subprocess.Popen([*MEDIA_ARGV, str(directory / "index.m3u8")])
    try:
        wait_until(lambda: len(list(directory.glob("*.ts"))) >= 4, 20, "no segments from ffmpeg")
        yield directory
    finally:
        ffmpeg.kill()
        ffmpeg.wait(10)


@pytest.fixture
def platform(media: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
    server = PlatformServer(media, monkeypatch)
    yield server
    server.close()


@pytest.fixture
def player(platform: PlatformServer, tmp_path: Path) -> Iterator[Player]:
    """Return the player's command line with a separate home directory, not logged in."""
    runner = Player(platform.url, tmp_path)
    yield runner
    runner.end_all()


@pytest.fixture
def viewer(player: Player) -> Player:
    """Return the player's command line, logged in. `test_player_account.py` tests the login as a process."""
    http = Http(player.server)
    try:
        Account(http, TokenStore(player.home / ".config" / "tollcast", NoKeyring())).login(EMAIL, PASSWORD)
    finally:
        http.close()
    return player


class NoKeyring(Vault):
    def set(self, key: str, secret: str) -> None:
        raise VaultError("tests use no keyring")
