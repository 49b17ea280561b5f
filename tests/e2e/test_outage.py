"""The source of a live stream fails while two viewers watch, who do not pay for this time.

The outage takes some seconds. With OUTAGE_S=60 it takes a minute, and the test waits until the sessions are reconciled,
minutes after their end.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import LEASE_MS, STREAM_ID, Platform, Viewer
from tests.e2e.test_main_job import play
from tests.fixtures.processes import children_named
from tests.fixtures.waiting import wait_for

OUTAGE_S = float(os.environ.get("OUTAGE_S", "12"))
RECONCILED_AFTER_S = 60.0
RECONCILED_S_MAX = 420.0
CLIP = "outage.mp4"
CLIP_S = 8


@pytest.fixture
def clip(platform: Platform) -> Iterator[Path]:
    """Let `stream-1` play a looped file, which a test can remove."""
    path = platform.stack.layout.media_dir / CLIP
    source = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine"]
    encoding = ["-t", str(CLIP_S), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *encoding, path], check=True, timeout=60)
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"ingest": {"mode": "file", "path": CLIP}})
    generation = platform.operator("GET", f"/streams/{STREAM_ID}")["generation"]
    wait_for("stream from the file", lambda: is_live(platform, generation), 60)
    yield path
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"ingest": {"mode": "test"}})
    wait_for("stream from the pattern", lambda: is_live(platform, generation + 1), 60)


def is_live(platform: Platform, generation: int = 0) -> bool:
    runtime = platform.runtime()
    return bool(runtime["state"] == "live" and runtime["generation"] >= generation)


@pytest.mark.timeout(OUTAGE_S + 180 + RECONCILED_S_MAX)
def test_viewers_do_not_pay_while_the_source_is_gone(platform: Platform, clip: Path, tmp_path: Path) -> None:
    people = [platform.viewer(1_000_000, tmp_path / str(n)) for n in range(2)]
    playbacks = [play(person) for person in people]
    wait_for("beats", lambda: all(len(person.ledger()) > 3 for person in people))

    away = clip.with_suffix(".away")
    clip.rename(away)
    # With its receiver the source is closed; a killed encoder alone would be replaced within a second.
    [receiver] = children_named(platform.stack.pid("worker"), "receiver")
    os.kill(receiver, signal.SIGKILL)
    wait_for("stream that is down", lambda: not is_live(platform))
    [outage] = [each for each in platform.runtime()["outages"] if each["until_ms"] is None]
    down_until_ms = outage["since_ms"] + OUTAGE_S * 1000
    wait_for("free beats", lambda: all(unserved(person) for person in people))
    wait_for("end of the outage", lambda: now_ms(platform) > down_until_ms, OUTAGE_S + 10)
    balances = [person.wallet()["balance_millipoints"] for person in people]
    before = [playback.position() for playback in playbacks]
    away.rename(clip)

    wait_for("live stream", lambda: is_live(platform), 40)
    for n, playback in enumerate(playbacks):
        wait_for("picture that moves again", lambda n=n, playback=playback: playback.position() > before[n] + 3, 40)
    ended = next(each for each in platform.runtime()["outages"] if each["since_ms"] == outage["since_ms"])
    wait_for("leases that are paid again", lambda: all(paid_after(person, ended["until_ms"]) for person in people))
    for person, playback, balance in zip(people, playbacks, balances, strict=True):
        exit_status, receipt = playback.interrupt()
        assert (exit_status, receipt["settled"]) == (130, True)
        check_bill(person, receipt, ended, balance)
    if OUTAGE_S >= RECONCILED_AFTER_S:
        for person in people:
            [session] = person.sessions()
            row = wait_for("reconciliation", lambda session=session: reconciled(platform, session), RECONCILED_S_MAX)
            print(json.dumps(row))
            assert (row["agrees"], row["reason"]) == (True, "ok")
            assert row["net_millipoints"] == session["charged_millipoints"]


def reconciled(platform: Platform, session: dict[str, Any]) -> dict[str, Any] | None:
    """Return the row of a session after its measurement."""
    day = datetime.fromtimestamp(session["ended_at_ms"] / 1000, UTC).strftime("%Y-%m-%d")
    rows = platform.operator("GET", f"/reconciliation?day={day}&limit=200")["items"]
    found = [row for row in rows if row["session_id"] == session["session_id"] and row["reason"] != "not_measured"]
    return found[0] if found else None


def now_ms(platform: Platform) -> int:
    return int(platform.operator("GET", "/monitoring/metrics")["at_ms"])


def unserved(person: Viewer) -> list[dict[str, Any]]:
    return [line for line in person.ledger() if line["kind"] == "unserved"]


def paid_after(person: Viewer, at_ms: int) -> list[dict[str, Any]]:
    return [line for line in person.ledger() if line["kind"] == "lease" and line["at_ms"] > at_ms]


def check_bill(person: Viewer, receipt: dict[str, Any], outage: dict[str, Any], balance_in_outage: int) -> None:
    person.check_ledger()
    lines = person.ledger()
    [session] = person.sessions()
    [credit] = [line for line in lines if line["kind"] == "outage_credit"]
    assert re.fullmatch(rf"o\.{STREAM_ID}\.{outage['since_ms']}\.\d+\.{session['session_id']}", credit["entry_id"])
    assert credit["delta_millipoints"] > 0
    in_outage = [line for line in lines if credit["version"] <= line["version"] and line["at_ms"] < outage["until_ms"]]
    assert {line["kind"] for line in in_outage} == {"outage_credit", "unserved"}
    assert sum(line["delta_millipoints"] for line in lines[: in_outage[-1]["version"]]) == balance_in_outage
    # A point a second: viewers pay for the time without the outage, and never more.
    watched_ms = session["ended_at_ms"] - session["started_at_ms"]
    served_ms = watched_ms - (outage["until_ms"] - outage["since_ms"])
    most = served_ms + session["reserved_millipoints"] + len(lines)
    assert served_ms - LEASE_MS - 2_500 <= session["charged_millipoints"] <= most
    assert receipt["spent_millipoints"] == session["charged_millipoints"]
