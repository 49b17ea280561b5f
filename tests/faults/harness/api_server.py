"""The functions over HTTP with clocks that are set: gunicorn's workers as in `make up`, each with a clock of its own.

The true time lies in a file that tests write and the workers read; how far each worker's clock is from it follows from
its process id.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT
from tests.faults.harness.environment import BEGIN_MS, SKEW_MS, Time
from tests.fixtures.ports import answers, free_port

TIME_FILE = "FAULTS_TIME_FILE"
WORKERS = 2
START_S_MAX = 60.0


class FileTime(Time):
    """The true time, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__()
        path.write_bytes(struct.pack("q", BEGIN_MS))

    @property
    def now_ms(self) -> int:
        return read_ms(self.path)

    @now_ms.setter
    def now_ms(self, now_ms: int) -> None:
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("q", now_ms))


def read_ms(path: Path) -> int:
    """The time in the file; eight bytes are written at once."""
    return int(struct.unpack("q", path.read_bytes())[0])


class WorkerClock:
    """The clock of this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset_ms = os.getpid() * 997 % (2 * SKEW_MS + 1) - SKEW_MS

    def now_ms(self) -> int:
        return read_ms(self._path) + self._offset_ms


def load() -> Callable[..., Any]:
    """For gunicorn: the platform's own app, with this process's clock."""
    from chalicelib.bootstrap import container
    from infra.local import wsgi

    container().clock = WorkerClock(Path(os.environ[TIME_FILE]))  # type: ignore[misc,assignment]
    return wsgi.load()


class Functions:
    """The running API."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self._process = process

    def kill_one(self, which: int) -> None:
        """Kill a worker, whatever it is doing; the master starts another."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if children:
            try:
                os.kill(int(children[which % len(children)]), signal.SIGKILL)
            except ProcessLookupError:
                return


@contextmanager
def running(directory: Path, denylist_dir: Path) -> Iterator[tuple[Functions, FileTime]]:
    """Start the API on the stage that the environment names, and end it."""
    true_time, port = FileTime(directory / "time"), free_port()
    environ = os.environ | {TIME_FILE: str(true_time.path), "TOLLCAST_DENYLIST_DIR": str(denylist_dir)}
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "sync", "--workers", str(WORKERS)]
    command += ["--no-control-socket", "--bind", f"127.0.0.1:{port}", "tests.faults.harness.api_server:load()"]
    log = directory / "api.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + START_S_MAX
        while not answers(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield Functions(port, process), true_time
        # gunicorn tells of workers that were killed, and of clients that hung up; neither is a trace of ours.
        assert "Traceback" not in log.read_text(errors="replace"), log.read_text(errors="replace")[-3_000:]
    finally:
        process.terminate()
        process.wait(20)
