"""A real follower over a real store, killed repeatedly while the log is written and rotated."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from chalicelib.adapters.money.dynamodb_usage import DynamoUsage
from chalicelib.config import Settings
from chalicelib.domain.money.usage import day_key
from chalicelib.domain.operations.traffic import traffic_of
from gateway.usage.log_tailer import BACKUPS_MAX
from infra.local.layout import ROOT
from tests.unit.gateway.log_lines import DAY, MINUTE, RotatedLog, segment

SESSIONS = [letter * 26 for letter in "abcdefgh"]
SEGMENTS = 250
KILLS_MIN = 3
FOLLOW = """
import sys, time
from pathlib import Path
from chalicelib.bootstrap import container
from gateway.usage import follower
follower.FLUSH_S = 0.02
log, state = map(Path, sys.argv[1:])
now_ms, alive = lambda: time.time_ns() // 10**6, state.with_suffix(".alive").touch
usage = container().stores.usage
follower.run(follower.UsageFollower(usage=usage, log_path=log, checkpoint_path=state, now_ms=now_ms, alive=alive))
"""


def follow(log: Path, state: Path, out: Path) -> subprocess.Popen[bytes]:
    with out.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-c", FOLLOW, str(log), str(state)], cwd=ROOT, stdout=file, stderr=file
        )


def test_each_line_counts_once_after_repeated_kills(settings: Settings, tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    log = RotatedLog(tmp_path / "access.log", backups=BACKUPS_MAX)
    state, out = tmp_path / "state.json", tmp_path / "out"
    lines = [segment(n, session) for n in range(SEGMENTS) for session in SESSIONS]
    # Segments that are fetched again later.
    lines += [segment(n, session, status=206) for n in range(0, SEGMENTS, 5) for session in SESSIONS]
    text, kills, rotations = b"".join(lines), 0, 0
    part = len(text) // (KILLS_MIN + 1)
    process = follow(log.path, state, out)
    began_ns = time.time_ns()
    while text:
        # At least a whole line, so that there is an addition.
        size = dice.randrange(len(lines[0]) + 1, 6_000)
        log.write(text[:size])
        text = text[size:]
        if rotations < BACKUPS_MAX and dice.random() < 0.1:
            log.rotate()
            rotations += 1
        time.sleep(dice.random() / 20)  # The rate of the log, which makes the moment of the kill random.
        # If followers start slowly, the log waits for enough of them.
        due = kills < KILLS_MIN and len(text) < (KILLS_MIN - kills) * part
        if due:
            await_mark(state, began_ns, process, seed)
        if mark(state) > began_ns and (due or dice.random() < 0.5):
            process.kill()
            process.wait(10)
            began_ns = time.time_ns()
            process = follow(log.path, state, out)
            kills += 1
    # Before that, the follower has no signal handler.
    await_mark(state.with_suffix(".alive"), began_ns, process, seed)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, (seed, out.read_text())
    assert kills >= KILLS_MIN, seed
    usage = DynamoUsage(settings.table_prefix)
    found = {session: usage.get(session) for session in SESSIONS}
    for session, served in found.items():
        assert served, (seed, session, out.read_text())
        assert (served.media_ms, served.segments) == (2_000 * SEGMENTS, SEGMENTS), seed
        assert served.requests == SEGMENTS + SEGMENTS // 5, seed
    day = usage.get(day_key(DAY))
    assert day and day.requests == len(lines), seed
    whole = traffic_of(usage.counted(MINUTE, MINUTE))
    [stream] = usage.counted_by_stream(MINUTE, limit=9, cursor=None).items
    for traffic in (whole, stream.traffic):
        assert traffic.media.answers_2xx == traffic.segments.hits == len(lines), seed
        assert traffic.media.egress_bytes == len(lines) * 1_000, seed


def await_mark(path: Path, began_ns: int, process: subprocess.Popen[bytes], seed: int) -> None:
    """Wait until the follower started at `began_ns` has written the file."""
    deadline = time.monotonic() + 60
    while mark(path) <= began_ns:
        assert process.poll() is None and time.monotonic() < deadline, (seed, path)
        time.sleep(0.02)


def mark(state: Path) -> int:
    return state.stat().st_mtime_ns if state.exists() else 0
