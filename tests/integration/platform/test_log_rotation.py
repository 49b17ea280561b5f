"""Logs with addresses are rotated and deleted by age, under a real supervisord."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.processes.log_rotation import S_PER_DAY, rotate_logs
from tests.fixtures.waiting import eventually

DAYS = 30
WAIT_S = 30.0
CONFIG = """
[supervisord]
nodaemon=true
logfile={dir}/supervisord.log
pidfile={dir}/supervisord.pid
[program:nginx]
command=/bin/sh -c 'n=0; while :; do n=$((n+1)); echo line $n; sleep 0.05; done'
stdout_logfile={dir}/access.log
stdout_logfile_backups=2
stderr_logfile={dir}/nginx.log
"""


def has_lines(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    config = tmp_path / "supervisord.conf"
    config.write_text(CONFIG.format(dir=tmp_path))
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: has_lines(tmp_path / "access.log"), WAIT_S, "the first line")
        yield tmp_path
    finally:
        process.terminate()
        process.wait(WAIT_S)


def test_no_line_gets_older_than_its_days_and_none_is_lost(logs: Path) -> None:
    now_s, live, backup = time.time(), logs / "access.log", logs / "access.log.1"

    def rotate_after(days: float) -> None:
        rotate_logs(logs, DAYS, now_s + days * S_PER_DAY, logs / "supervisord.pid")

    rotate_after(0)
    rotate_after(DAYS / 2 - 1)
    assert not backup.exists()
    rotate_after(DAYS / 2 + 1)
    eventually(lambda: has_lines(live), WAIT_S, "a line after the rotation")
    lines = [*backup.read_text().splitlines(), *live.read_text().splitlines()]
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]
    # The newest line of the backup is of now, and the new log was seen first a moment ago.
    rotate_after(DAYS / 2 - 1)
    assert backup.exists()
    rotate_after(DAYS / 2 + 1)
    assert not backup.exists() and live.exists()


def test_a_log_stays_where_no_supervisord_would_reopen_it(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text("x\n")
    for days in (0, DAYS):
        rotate_logs(tmp_path, DAYS, time.time() + days * S_PER_DAY, tmp_path / "supervisord.pid")
    assert (tmp_path / "access.log").read_text() == "x\n"


@pytest.mark.parametrize("name", ["access.log", "nginx.log", "ingest.log"])
def test_every_log_with_addresses_is_rotated(tmp_path: Path, name: str) -> None:
    old = tmp_path / f"{name}.1"
    old.write_text("an address")
    rotate_logs(tmp_path, DAYS, time.time() + (DAYS / 2 + 1) * S_PER_DAY, tmp_path / "supervisord.pid")
    assert not old.exists()
