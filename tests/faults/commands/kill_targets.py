"""The processes of a platform that are killed, and the checks that each has recovered."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.local.layout import Layout
from infra.local.processes import process_groups
from infra.local.processes.health import checks
from infra.local.processes.supervision import SupervisionError, Supervisor
from tests.faults.harness.private_stack import Operator, bring_up
from tests.fixtures.stack import Stack

BACK_S_MAX = 120.0
# Parts with other processes too, such as the cache manager of nginx: the command lines of their workers.
WORKER_COMMANDS = {"nginx": b"worker process", "worker": b"worker.transcoding"}


@dataclass(frozen=True)
class TargetPlatform:
    """The platform whose processes are killed."""

    stack: Stack
    operator: Operator
    sessions_per_user_max: int

    @property
    def layout(self) -> Layout:
        return self.stack.layout

    def pid(self, part: str) -> int:
        """Return the process id of a part, or 0."""
        try:
            return self.stack.pid(part)
        except (SupervisionError, KeyError):
            return 0

    def worker_pids(self, part: str) -> list[int]:
        """Return the worker processes of a part: those of a pool, or the encoder of the worker."""
        parents, found = {self.pid(part)} - {0}, []
        for process in sorted(process_groups.running_processes(), key=lambda each: each.start):
            if process.parent in parents:
                parents.add(process.pid)
                if WORKER_COMMANDS.get(part, b"") in _command(process.pid):
                    found.append(process.pid)
        return found

    def healthy(self, part: str) -> bool:
        return checks(self.layout)[part]()

    def fatal_parts(self) -> list[str]:
        """Return the parts that supervisord has given up."""
        try:
            return [name for name, part in Supervisor(self.layout).states().items() if part.state == "FATAL"]
        except SupervisionError:
            return []


@dataclass(frozen=True)
class KillTarget:
    """A process to kill. `is_back` gets the killed process id."""

    name: str
    find: Callable[[TargetPlatform], list[int]]
    is_back: Callable[[TargetPlatform, int], bool]
    signal_number: signal.Signals = signal.SIGKILL

    def kill(self, platform: TargetPlatform, choose: Callable[[list[int]], int]) -> float:
        """End one and wait until it is back. Returns the recovery time in seconds, or raises `AssertionError`."""
        pid = choose(self.find(platform))
        # Modification times of files are compared with it.
        killed_at_s, began_s = time.time(), time.monotonic()
        os.kill(pid, self.signal_number)
        while not (_has_ended(pid) and self._has_recovered(platform, pid, killed_at_s)):
            fatal = platform.fatal_parts()
            assert not fatal, f"after {self.name} was killed, supervisord gave up {fatal}"
            waited_s = time.monotonic() - began_s
            assert waited_s < BACK_S_MAX, f"{self.name} was not back after {waited_s:.0f} s"
            time.sleep(0.02)
        return time.monotonic() - began_s

    def _has_recovered(self, platform: TargetPlatform, pid: int, killed_at_s: float) -> bool:
        if self.name == "scheduler" and not _touched_since(platform.layout.run_dir / "scheduler.alive", killed_at_s):
            return False
        return self.is_back(platform, pid)


def _has_ended(pid: int) -> bool:
    found = process_groups.find_process(pid)
    return found is None or found.state in "ZX"


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _touched_since(path: Path, at: float) -> bool:
    try:
        return path.stat().st_mtime > at
    except FileNotFoundError:
        return False


def _part(name: str, target: str, pool: int = 0, signal_number: signal.Signals = signal.SIGKILL) -> KillTarget:
    """Return a process that supervisord restarts, with a pool of workers."""

    def is_back(platform: TargetPlatform, killed: int) -> bool:
        # The workers of a killed master may answer for a while. Only those of the new one count.
        complete = not pool or len(platform.worker_pids(name)) == pool
        return platform.pid(name) not in (0, killed) and complete and platform.healthy(name)

    return KillTarget(target, lambda platform: [pid for pid in [platform.pid(name)] if pid], is_back, signal_number)


def _child(part: str, count: int) -> KillTarget:
    """Return a worker of a pool. It is back when the pool is complete."""

    def is_back(platform: TargetPlatform, killed: int) -> bool:
        found = platform.worker_pids(part)
        return len(found) == count and killed not in found and platform.healthy(part)

    return KillTarget(f"{part} worker", lambda platform: platform.worker_pids(part), is_back)


def _is_live(platform: TargetPlatform, before: int) -> bool:
    return any(pid != before for pid in platform.worker_pids("worker")) and platform.operator.is_live()


def _supervisord_is_back(platform: TargetPlatform, _: int) -> bool:
    """Restart it with `make up`, since nothing else does, and return whether the stream is live."""
    bring_up(platform.stack, platform.sessions_per_user_max)
    return platform.operator.is_live()


def _supervisord_pids(platform: TargetPlatform) -> list[int]:
    return [pid for pid in [Supervisor(platform.layout).pid()] if pid]


KILL_TARGETS = (
    _child("api", 4),
    _part("api", "api master", 4),
    _child("endpoints", 2),
    _part("endpoints", "endpoints master", 2),
    _part("scheduler", "scheduler"),
    KillTarget(
        "worker",
        lambda platform: [platform.pid("worker")],
        lambda platform, killed: platform.pid("worker") not in (0, killed) and _is_live(platform, 0),
    ),
    KillTarget("encoder", lambda platform: platform.worker_pids("worker"), _is_live),
    _child("nginx", 2),
    _part("nginx", "nginx master", 2),
    KillTarget("supervisord", _supervisord_pids, _supervisord_is_back),
)
# The emulator saves its state every few seconds and at its end: a SIGKILL would lose data, by design.
TERMINATE_TARGETS = (_part("emulator", "emulator (SIGTERM)", signal_number=signal.SIGTERM),)
