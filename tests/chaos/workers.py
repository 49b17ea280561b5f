"""Worker processes of a run, which replace the worker of the platform."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.layout import ROOT
from infra.local.processes.health import checks
from infra.local.processes.supervision import Supervisor
from tests.chaos.faulty_store import FaultyStore
from tests.fixtures.processes import children_named
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for

READY_S_MAX = 30.0
DRAIN_S_MAX = 10.0
HEALTHY_S_MAX = 45.0


class Worker:
    """A worker process and its proxy to S3."""

    def __init__(self, stack: Stack, worker_id: str, directory: Path, rng: random.Random) -> None:
        self.worker_id = worker_id
        self.store = FaultyStore(stack.layout.emulator_port, rng)
        self.alive = stack.layout.work_dir / f"{worker_id}.alive"
        self._log = directory / f"{worker_id}.log"
        self._environ = stack.environ | {"TOLLCAST_WORKER_ID": worker_id, "AWS_ENDPOINT_URL_S3": self.store.url}
        self.start()

    def start(self) -> None:
        """Start the process, also after it was killed."""
        self.alive.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker"],
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def encoders(self) -> list[int]:
        """Return the process ids of its encoders."""
        return children_named(self.process.pid, "encoder")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """Send SIGKILL, and wait for its end."""
        self.process.kill()
        self.process.wait(READY_S_MAX)

    def drain(self) -> int | None:
        """Send SIGTERM. Returns the status, or None if it did not end in time."""
        self.process.terminate()
        try:
            return self.process.wait(DRAIN_S_MAX)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """End the process and the proxy."""
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.drain()
        if self.process.poll() is None:
            self.kill()
        self.store.close()


class Workers:
    """All started workers; `current` is the one that should have the stream."""

    def __init__(self, stack: Stack, directory: Path, rng: random.Random) -> None:
        self.all: list[Worker] = []
        self._stack, self._directory, self._rng = stack, directory, rng
        self.current = self.start()

    def start(self) -> Worker:
        """Start another worker, and wait until it runs."""
        worker = Worker(self._stack, f"chaos-{len(self.all) + 1}", self._directory, self._rng)
        self.all.append(worker)
        wait_for(f"running worker {worker.worker_id}", worker.alive.exists, READY_S_MAX)
        return worker

    def close(self) -> None:
        """End all workers, the current one last."""
        for worker in sorted(self.all, key=lambda each: each is self.current):
            worker.close()


@contextmanager
def private_workers(stack: Stack, directory: Path, rng: random.Random) -> Iterator[Workers]:
    """Replace the worker of the platform. Afterwards restart it."""
    supervisor = Supervisor(stack.layout)
    supervisor.stop_parts(["worker"])
    try:
        workers = Workers(stack, directory, rng)
        try:
            yield workers
        finally:
            workers.close()
    finally:
        supervisor.start_part("worker")
        wait_for("worker of the platform", checks(stack.layout)["worker"], HEALTHY_S_MAX)
