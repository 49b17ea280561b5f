"""The account commands as processes against the app."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player


def logins(player: Player) -> list[Path]:
    return sorted((player.home / ".config" / "tollcast").glob("http*.json"))


def test_login_stores_the_tokens_in_a_private_file(player: Player, platform: PlatformServer) -> None:
    refused = player.run("login", "--email", "demo@local", "--password-stdin", stdin="wrong\n")
    assert refused.returncode == 4 and "invalid_credentials" in refused.stderr and logins(player) == []
    done = player.login()
    (file,) = logins(player)
    assert done.returncode == 0 and str(file) in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_not_logged_in(player: Player) -> None:
    done = player.run("login")
    assert done.returncode == 2 and "--password-stdin" in done.stderr, "without a terminal nothing is asked"
    for words in (["wallet"], ["status"], ["play", "stream-1", "--headless"]):
        done = player.run(*words)
        assert done.returncode == 4 and "Run: player login" in done.stderr, words


def test_listings(viewer: Player, platform: PlatformServer) -> None:
    streams = viewer.run("streams").stdout
    assert "stream-1" in streams and "live" in streams and "3600" in streams
    assert "Balance: 100.000 points" in viewer.run("wallet").stdout
    assert json.loads(viewer.run("wallet", "--json").stdout)["balance_millipoints"] == 100_000
    platform.top_up(900_000, "gift-1")
    for number in range(3, 121):
        platform.top_up(-2_000, f"fee-{number}")
    found = json.loads(viewer.run("ledger", "--limit", "70", "--json").stdout)
    assert [entry["version"] for entry in found] == list(range(120, 50, -1))
    assert "-2.000" in viewer.run("ledger").stdout


def test_titles_of_all_scripts_are_shown_as_they_are(viewer: Player, platform: PlatformServer) -> None:
    title = "می\u200cخواهم 👨\u200d👩\u200d👧 e\u0301"
    platform.set_stream(title=f"{title}\u202e\x1b[31m")
    for words in (("streams",), ("play", "stream-1", "--dry-run")):
        shown = viewer.run(*words, COLUMNS="100").stdout
        assert title in shown and "\u202e" not in shown and "\x1b" not in shown
    assert "e?" in viewer.run("streams", COLUMNS="100", PYTHONIOENCODING="latin-1").stdout


def test_status_distinguishes_expired_and_unreachable(viewer: Player, platform: PlatformServer) -> None:
    assert viewer.run("wallet", TOLLCAST_SERVER="").returncode == 0, "a login remembers its server"
    good = viewer.run("status")
    assert good.returncode == 0 and "demo@local (viewer)" in good.stdout and "100.000 points" in good.stdout
    platform.expire_access_tokens()
    platform.end_logins()
    expired = viewer.run("status")
    assert expired.returncode == 4 and "expired" in expired.stdout and "Run: player login" in expired.stderr
    away = viewer.run("--server", "http://127.0.0.1:9", "status")
    assert away.returncode == 5 and "cannot be reached" in away.stdout


def test_an_expired_access_token_is_refreshed(viewer: Player, platform: PlatformServer) -> None:
    platform.expire_access_tokens()
    assert viewer.run("wallet").returncode == 0
    assert len(platform.seen("POST", "/auth/refresh")) == 1
    assert viewer.run("wallet").returncode == 0
    assert len(platform.seen("POST", "/auth/refresh")) == 1
    # A refresh whose answer is lost is retried.
    platform.expire_access_tokens()
    platform.drop_next = {"/auth/refresh"}
    assert viewer.run("wallet").returncode == 0
    assert len(platform.seen("POST", "/auth/refresh")) == 3


def test_two_processes_refresh_once(viewer: Player, platform: PlatformServer) -> None:
    platform.expire_access_tokens()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: viewer.run("wallet").returncode, range(2))) == [0, 0]
    assert len(platform.seen("POST", "/auth/refresh")) <= 1 + (len(platform.seen("GET", "/me/wallet")) > 3)
    assert viewer.run("wallet").returncode == 0


def test_logout_revokes_first_and_reports_an_unreachable_server(viewer: Player, platform: PlatformServer) -> None:
    assert viewer.run("logout").returncode == 0
    assert platform.logins == 0 and logins(viewer) == []
    assert "were not logged in" in viewer.run("logout").stdout
    assert viewer.login().returncode == 0
    platform.dead_paths = ("/auth/logout",)
    done = viewer.run("logout")
    assert done.returncode == 5 and "not revoked at the server" in done.stderr and logins(viewer) == []


def test_starts_that_are_refused(viewer: Player, platform: PlatformServer) -> None:
    def play(*words: str) -> tuple[int, str]:
        done = viewer.run("play", *words, "--headless")
        return done.returncode, done.stderr

    platform.report("backoff")
    for stream_id, word in (("nothing", "player streams"), ("stream-1", "stream_not_live")):
        status, text = play(stream_id)
        assert status == 4 and word in text
    platform.report("live")
    for _ in range(3):
        platform.start()
    status, text = play("stream-1")
    assert status == 4 and "--replace" in text
    platform.end("kicked")
    platform.balance = 0
    assert play("stream-1")[0] == 3
    platform.dead_paths = ("/",)
    assert play("stream-1")[0] == 5


def test_mpv_missing(viewer: Player, platform: PlatformServer, tmp_path: Path) -> None:
    done = viewer.run("play", "stream-1", "--json", PATH=str(tmp_path))
    assert done.returncode == 7 and json.loads(done.stdout)["exit_status"] == 7 and "Install it" in done.stderr
    assert platform.seen("POST", "/playback/start") == []
