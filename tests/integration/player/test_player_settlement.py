"""What the viewer sees of a settlement: at the stop, before it, after it, in the ledger and in a statement."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player


def watch(platform: PlatformServer, viewer: Player) -> tuple[str, dict[str, Any], int]:
    """Watch a moment of a stream with long leases. Return the session, the receipt, and the reserve."""
    platform.follow_log()
    platform.set_stream(lease_ms=30_000)
    playback = viewer.play()
    platform.wait_for_media()
    playback.mpv("quit")
    out, _ = playback.process.communicate(timeout=20)
    receipt = json.loads(out)
    return receipt["session_ids"][0], receipt, receipt["reserved_millipoints"]


def test_a_receipt_before_and_after_what_was_not_fetched_came_back(platform: PlatformServer, viewer: Player) -> None:
    session_id, receipt, reserved = watch(platform, viewer)
    assert reserved == 8_000 and receipt["spent_millipoints"] > 8_000
    pending = "Settled:     up to 8.000 points may come back within 3 minutes"
    assert pending in viewer.run("receipt").stdout
    paid_ms = receipt["spent_millipoints"]
    platform.measure(session_id, paid_ms - 5_000, 1)
    platform.settle(session_id)
    done = viewer.run("receipt", "--lines", COLUMNS="80")
    assert done.returncode == 0 and "add up to the server's totals" in done.stdout
    assert "Settled:     5 s were not fetched and came back (+5.000 points)" in done.stdout
    assert "not served" in viewer.run("ledger").stdout and "+5.000" in done.stdout
    found = json.loads(viewer.run("receipt", "--json").stdout)
    assert (found["settlement_millipoints"], found["net_millipoints"], found["adds_up"]) == (
        5_000,
        paid_ms - 5_000,
        True,
    )


def test_what_was_fetched_ahead_is_paid_and_becomes_debt(
    platform: PlatformServer, viewer: Player, tmp_path: Path
) -> None:
    session_id, receipt, _ = watch(platform, viewer)
    platform.balance = 3_000
    platform.measure(session_id, receipt["spent_millipoints"] + 8_000, 1)
    platform.settle(session_id)
    shown = " ".join(viewer.run("receipt", COLUMNS="80").stdout.split())
    ahead = "8 s were fetched ahead (-8.000 points). 5.000 points were not in the wallet: the next start pays them"
    assert ahead in shown and "add up" in shown
    assert "Open: 5.000 points from earlier viewing; your next start pays them first." in viewer.run("wallet").stdout
    platform.top_up(20_000, "top-up-1")
    playback = viewer.play()
    platform.wait_for("POST", "/playback/start", 2)
    playback.quit()
    ledger = viewer.run("ledger", COLUMNS="80").stdout
    assert re.search(r"open points paid +-5\.000", ledger) and re.search(r"fetched ahead +-3\.000", ledger)
    file = tmp_path / "bill.json"
    assert viewer.run("ledger", "--export", str(file)).returncode == 0
    assert "everything fits" in viewer.run("verify", str(file)).stdout


@pytest.mark.parametrize("columns", ["50", "80"])
def test_a_dry_run_says_what_is_paid(platform: PlatformServer, viewer: Player, columns: str) -> None:
    shown = viewer.run("play", "stream-1", "--dry-run", COLUMNS=columns).stdout
    assert max(len(line) for line in shown.splitlines()) <= int(columns)
    assert "What was fetched ahead (up to 8 s) is paid." in " ".join(shown.split())
