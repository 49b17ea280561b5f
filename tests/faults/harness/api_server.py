"""The API in gunicorn as in `make up`, with clocks that tests set.

Tests write the true time into a file. The clock of each worker differs from it by an offset that its process id gives.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from infra.local.layout import ROOT
from tests.faults.harness.environment import BEGIN_MS, SKEW_MS, TrueTime
from tests.fixtures.ports import answers, free_port

TIME_FILE = "FAULTS_TIME_FILE"
WORKERS = 2
START_S_MAX = 60.0


class FileTime(TrueTime):
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
    """Return the time in a file. Its eight bytes are written at once."""
    return int(struct.unpack("q", path.read_bytes())[0])


class WorkerClock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset_ms = os.getpid() * 997 % (2 * SKEW_MS + 1) - SKEW_MS

    def now_ms(self) -> int:
        return read_ms(self._path) + self._offset_ms


def load() -> Callable[..., Any]:
    """Return the WSGI app of the platform with the clock of this process, for gunicorn."""
    from chalicelib.bootstrap import container
    from infra.local.emulator import wsgi

    container().stores.clock = WorkerClock(Path(os.environ[TIME_FILE]))
    return wsgi.load()


class ApiServer:
    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self._process = process

    def kill_worker(self, which: int) -> None:
        """Kill a worker. The master starts another one."""
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children()
            if children:
                children[which % len(children)].kill()


@contextmanager
def running_api(directory: Path, denylist_dir: Path) -> Iterator[tuple[ApiServer, FileTime]]:
    """Run the API on the stage that the environment names."""
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
        yield ApiServer(port, process), true_time
        # gunicorn logs killed workers and clients that hung up, both without a trace.
        assert "Traceback" not in log.read_text(errors="replace"), log.read_text(errors="replace")[-3_000:]
    finally:
        process.terminate()
        process.wait(20)
