"""The money commands as processes: the cap, the ledger, statements, receipts."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player
from tests.unit.player.statement_oracle import statement_of


@pytest.fixture
def watched(platform: PlatformServer) -> str:
    """A session that has ended, with leases, a refund, an outage credit and an adjustment."""
    session_id = str(platform.start()["session_id"])
    for seq in (2, 3):
        platform.clock.shift_ms += 2_000
        platform.heartbeat(session_id, seq)
    platform.credit_outage(session_id, 500)
    platform.top_up(5_000, "gift-1", 'from "Zoë", with love\nand more')
    platform.end("kicked")
    platform.adjust(session_id, 250, "sorry-1", "for the trouble")
    return session_id


def test_the_wallet_shows_the_cap_and_what_today_cost(viewer: Player, platform: PlatformServer, watched: str) -> None:
    spent = f"{platform.wallet()['spent_today_millipoints'] / 1000:.3f}"
    assert f"Today: {spent} points spent, and no daily cap" in viewer.run("wallet").stdout
    done = viewer.run("wallet", "cap", "500/day", TZ="Europe/Berlin", COLUMNS="100")
    assert done.returncode == 0 and platform.wallet()["daily_cap_millipoints"] == 500_000
    assert re.search(
        rf"Today: {spent} of 500 points; the cap resets at 00:00 UTC \(0[12]:00 your time\)\.", done.stdout
    )
    assert f"{spent} of 500 points" in viewer.run("wallet").stdout
    assert json.loads(viewer.run("wallet", "--json").stdout)["daily_cap_millipoints"] == 500_000
    assert viewer.run("wallet", "cap", "none").returncode == 0
    assert platform.wallet()["daily_cap_millipoints"] is None


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_the_ledger_has_plain_words_and_cuts_nothing(viewer: Player, watched: str, columns: int) -> None:
    out = viewer.run("ledger", COLUMNS=str(columns)).stdout
    assert max(len(line) for line in out.splitlines()) <= columns
    assert "…" not in out
    times = r"^ *\d+  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d " if columns >= 80 else r"^ *\d+  \d\d-\d\d \d\d:\d\d "
    assert len(re.findall(times, out, re.MULTILINE)) == 8
    words = ("given back: outage" if columns >= 80 else "outage", "stream-1", "received", "adjusted", "-2.000")
    assert all(word in out for word in words), out
    read = " ".join(out.split())
    for subject in ("stream-1 lease 3", "payment sorry-1: for the trouble", 'gift-1: from "Zoë", with love'):
        assert subject in read, out
    assert (watched in out) is (columns == 120)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_statement_of_several_parts_is_saved_and_can_be_checked_offline(
    viewer: Player, platform: PlatformServer, watched: str, tmp_path: Path, form: str
) -> None:
    platform.set_statement_lines_max(3)
    file = tmp_path / f"bill.{form}"
    done = viewer.run("ledger", "--export", str(file), COLUMNS="200")
    assert done.returncode == 0, done.stderr
    platform.set_statement_lines_max(5_000)
    whole = platform.statement()
    lines, end = len(whole["lines"]), whole["closing"]
    assert statement_of(whole["lines"], user_id=whole["user_id"])["lines"] == whole["lines"]
    for word in (f"{lines} lines, versions 1 to {lines}", end["hash"], f"{platform.balance / 1000:.3f} points"):
        assert word in done.stdout
    if form == "json":
        assert {**json.loads(file.read_text()), "created_at_ms": 0} == {**whole, "created_at_ms": 0}
    else:
        header, _, *rows = platform.statement_csv().split("\r\n")
        assert file.read_bytes().decode().split("\r\n")[2:] == rows and file.read_text().startswith(header)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    checked = Player("http://127.0.0.1:9", tmp_path / "unknown").run("verify", str(file), COLUMNS="200")
    assert checked.returncode == 0, checked.stderr
    for word in ("everything fits", f"1 to {lines}, without a gap", end["hash"], "does not prove", "--export"):
        assert word in checked.stdout


def test_a_statement_can_go_to_stdout_and_begin_later(viewer: Player, platform: PlatformServer, watched: str) -> None:
    done = viewer.run("ledger", "--export", "-", "--format", "json", "--after", "2")
    found = json.loads(done.stdout)
    assert {**found, "created_at_ms": 0} == {**platform.statement(2), "created_at_ms": 0}
    assert found["closing"]["hash"] in done.stderr
    assert viewer.run("ledger", "--export", "-").returncode == 2
    assert viewer.run("ledger", "--export", "bill.txt").returncode == 2
    assert viewer.run("ledger", "--force").returncode == 2


def test_a_file_is_replaced_atomically_and_only_with_force(
    viewer: Player, platform: PlatformServer, watched: str, tmp_path: Path
) -> None:
    file = tmp_path / "bill.csv"
    file.write_text("mine")
    refused = viewer.run("ledger", "--export", str(file))
    assert refused.returncode == 1 and "--force" in refused.stderr and file.read_text() == "mine"
    platform.dead_paths = ("/me/ledger/export?format=csv&after_version=3",)
    platform.set_statement_lines_max(3)
    lost = viewer.run("ledger", "--export", str(file), "--force")
    assert lost.returncode == 5 and file.read_text() == "mine"
    platform.dead_paths = ()
    assert viewer.run("ledger", "--export", str(file), "--force").returncode == 0
    assert file.read_text().startswith("version,at,")
    nowhere = viewer.run("ledger", "--export", str(tmp_path / "no" / "bill.csv"))
    assert nowhere.returncode == 1 and "cannot be written" in nowhere.stderr
    assert [path.name for path in tmp_path.iterdir() if "bill" in path.name] == ["bill.csv"]


def test_verify_names_the_changed_line(viewer: Player, platform: PlatformServer, watched: str, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_bytes(platform.statement_csv().replace(",-2000,", ",-1000,", 1).encode())
    done = viewer.run("verify", str(file))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for word in (f"{file}: line 4: delta_millipoints does not fit", "expected: -2000", "found:    -1000"):
        assert word in done.stderr


def receipt_of(viewer: Player, *words: str) -> dict[str, Any]:
    done = viewer.run("receipt", "--json", *words)
    return {**json.loads(done.stdout), "status": done.returncode}


def test_a_receipt_adds_up(viewer: Player, platform: PlatformServer, watched: str) -> None:
    found = receipt_of(viewer)
    session = platform.sessions[watched]
    assert (found["status"], found["adds_up"], found["leases"], found["leases_millipoints"]) == (0, True, 3, 6_000)
    assert (found["outage_credit_millipoints"], found["adjustment_millipoints"]) == (500, 250)
    assert found["refund_millipoints"] == session.refunded_millipoints
    assert found["net_millipoints"] == session.charged_millipoints - 250
    assert found["net_millipoints"] == 6_000 - 500 - 250 - session.refunded_millipoints
    assert [line["kind"] for line in found["lines"]] == ["lease"] * 3 + ["outage_credit", "refund", "adjustment"]
    assert receipt_of(viewer, watched) == found
    shown = viewer.run("receipt", watched, "--lines", COLUMNS="80").stdout
    unmeasured = "0:00 of media, 0.0 MB (of 0:06 granted)"
    for word in ("An operator ended this session. (kicked)", "3 bought for 6.000 points", unmeasured, "add up"):
        assert word in shown
    assert "given back: outage" in shown and f"{found['net_millipoints'] / 1000:.3f} points" in shown
    platform.measure(watched, 5_000, 1_234_567)
    assert "0:05 of media, 1.2 MB (of 0:06 granted)" in viewer.run("receipt").stdout


def test_a_difference_is_reported(viewer: Player, platform: PlatformServer, watched: str) -> None:
    platform.change_record(watched, charged_millipoints=platform.sessions[watched].charged_millipoints + 1_000)
    done = viewer.run("receipt", COLUMNS="200")
    assert done.returncode == 1 and "do not add up: charged_millipoints is" in done.stdout
    assert receipt_of(viewer)["adds_up"] is False


def test_a_receipt_of_an_active_session_and_of_none(viewer: Player, platform: PlatformServer) -> None:
    nothing = viewer.run("receipt")
    assert nothing.returncode == 1 and "watched nothing yet" in nothing.stderr
    assert viewer.run("receipt", "unknown").returncode == 4
    platform.start()
    done = viewer.run("receipt")
    assert done.returncode == 0 and "it is active" in done.stdout and "totals to compare" in done.stdout
    assert receipt_of(viewer)["adds_up"] is None


def test_a_session_that_ends_between_two_requests_is_fetched_again(viewer: Player, platform: PlatformServer) -> None:
    session_id = platform.start()["session_id"]
    platform.after[f"/me/sessions/{session_id}"] = lambda: platform.end("kicked")
    found = receipt_of(viewer, session_id)
    assert (found["status"], found["adds_up"], found["session"]["end_reason"]) == (0, True, "kicked")
