"""The player verifies a receipt and a statement, and rejects a statement with a changed digit."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Platform, Viewer
from tests.e2e.test_main_job import play
from tests.fixtures.waiting import wait_for


@pytest.fixture(scope="module")
def watched(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Viewer:
    """A viewer who watched for a few leases."""
    person = platform.viewer(100_000, tmp_path_factory.mktemp("bill"))
    playback = play(person)
    wait_for("leases", lambda: len(person.ledger()) > 4)
    playback.process.send_signal(signal.SIGINT)
    assert playback.finish()[0] == 130
    return person


def test_the_receipt_adds_up(watched: Viewer) -> None:
    [session] = watched.sessions()
    done = watched.player.run("receipt", "--json")
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    lines = [line for line in watched.ledger() if line["session_id"] == session["session_id"]]
    assert (receipt["session"]["session_id"], receipt["adds_up"]) == (session["session_id"], True)
    assert receipt["net_millipoints"] == -sum(line["delta_millipoints"] for line in lines)


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_a_statement_verifies_until_a_digit_is_changed(
    watched: Viewer, tmp_path: Path, suffix: str, change: Callable[[str, str], str]
) -> None:
    path = tmp_path / f"bill.{suffix}"
    assert watched.player.run("ledger", "--export", str(path)).returncode == 0
    good = watched.player.run("verify", str(path))
    assert good.returncode == 0, good.stderr
    path.write_bytes(change(path.read_bytes().decode(), suffix).encode())
    bad = watched.player.run("verify", str(path))
    assert bad.returncode == 1
    assert "version 3" in bad.stderr or "line 5" in bad.stderr


@pytest.fixture
def change() -> Callable[[str, str], str]:
    """Make the third line of a ledger a millipoint cheaper."""

    def change_line(text: str, suffix: str) -> str:
        if suffix == "json":
            document = json.loads(text)
            document["lines"][2]["delta_millipoints"] += 1
            return json.dumps(document)
        rows = text.split("\r\n")
        fields = rows[4].split(",")
        fields[5] = str(int(fields[5]) + 1)
        return "\r\n".join([*rows[:4], ",".join(fields), *rows[5:]])

    return change_line
