"""The processes of a platform that are killed, and how one sees that each is back and at work."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.local import groups
from infra.local.health import checks
from infra.local.layout import Layout
from infra.local.supervision import SupervisionError, Supervisor
from tests.faults.harness.private_stack import Operator, bring_up
from tests.fixtures.stack import Stack

BACK_S_MAX = 120.0
# What the command of those processes says, where a part has others too (nginx has a manager of its cache).
WORKING = {"nginx": b"worker process", "worker": b"worker.transcoding"}


@dataclass(frozen=True)
class Site:
    """The platform under attack."""

    stack: Stack
    operator: Operator
    sessions_per_user_max: int

    @property
    def layout(self) -> Layout:
        """Where its parts lie."""
        return self.stack.layout

    def pid(self, part: str) -> int:
        """The process of a part, 0 while there is none."""
        try:
            return self.stack.pid(part)
        except (SupervisionError, KeyError):
            return 0

    def below(self, part: str) -> list[int]:
        """The processes below a part's that do its work: a pool's workers, the worker's encoder."""
        parents, found = {self.pid(part)} - {0}, []
        for process in sorted(groups.processes(), key=lambda each: each.start):
            if process.parent in parents:
                parents.add(process.pid)
                if WORKING.get(part, b"") in _command(process.pid):
                    found.append(process.pid)
        return found

    def healthy(self, part: str) -> bool:
        """Whether the part answers as it must."""
        return checks(self.layout)[part]()

    def fatal(self) -> list[str]:
        """Parts that supervisord has given up."""
        try:
            return [name for name, part in Supervisor(self.layout).states().items() if part.state == "FATAL"]
        except SupervisionError:
            return []


@dataclass(frozen=True)
class Victim:
    """A process of ours: how it is found, with what it is ended, and whether it is back (given the killed pid)."""

    name: str
    find: Callable[[Site], list[int]]
    back: Callable[[Site, int], bool]
    sent: signal.Signals = signal.SIGKILL

    def kill(self, site: Site, choose: Callable[[list[int]], int]) -> float:
        """End one and wait until it is back; answers how many seconds that took. Raises `AssertionError`."""
        pid = choose(self.find(site))
        # A file's time is compared with it, so this is the machine's clock.
        killed_at, began = time.time(), time.monotonic()
        os.kill(pid, self.sent)
        while not (_gone(pid) and self._is_back(site, pid, killed_at)):
            fatal = site.fatal()
            assert not fatal, f"after {self.name} was killed, supervisord gave up {fatal}"
            waited_s = time.monotonic() - began
            assert waited_s < BACK_S_MAX, f"{self.name} was not back after {waited_s:.0f} s"
            time.sleep(0.02)
        return time.monotonic() - began

    def _is_back(self, site: Site, pid: int, killed_at: float) -> bool:
        if self.name == "scheduler" and not _touched_since(site.layout.run_dir / "scheduler.alive", killed_at):
            return False
        return self.back(site, pid)


def _gone(pid: int) -> bool:
    found = groups.process(pid)
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


def _part(name: str, victim: str, pool: int = 0, sent: signal.Signals = signal.SIGKILL) -> Victim:
    """A process that supervisord watches, with so many below it."""

    def back(site: Site, killed: int) -> bool:
        # A killed master's workers may answer a while longer: only the new one's count.
        complete = not pool or len(site.below(name)) == pool
        return site.pid(name) not in (0, killed) and complete and site.healthy(name)

    return Victim(victim, lambda site: [pid for pid in [site.pid(name)] if pid], back, sent)


def _child(part: str, count: int) -> Victim:
    """A worker process of a pool: it is back when the pool is complete."""

    def back(site: Site, killed: int) -> bool:
        found = site.below(part)
        return len(found) == count and killed not in found and site.healthy(part)

    return Victim(f"{part} worker", lambda site: site.below(part), back)


def _is_live(site: Site, before: int) -> bool:
    return any(pid != before for pid in site.below("worker")) and site.operator.is_live()


def _encoder() -> Victim:
    return Victim("encoder", lambda site: site.below("worker"), _is_live)


def _worker() -> Victim:
    def back(site: Site, killed: int) -> bool:
        return site.pid("worker") not in (0, killed) and _is_live(site, 0)

    return Victim("worker", lambda site: [site.pid("worker")], back)


def _supervisord() -> Victim:
    """supervisord is not watched by anything: whoever runs the platform types `make up` again."""

    def back(site: Site, _: int) -> bool:
        bring_up(site.stack, site.sessions_per_user_max)
        return site.operator.is_live()

    return Victim("supervisord", lambda site: [pid for pid in [Supervisor(site.layout).pid()] if pid], back)


KILLED = (
    _child("api", 4),
    _part("api", "api master", 4),
    _child("endpoints", 2),
    _part("endpoints", "endpoints master", 2),
    _part("scheduler", "scheduler"),
    _worker(),
    _encoder(),
    _child("nginx", 2),
    _part("nginx", "nginx master", 2),
    _supervisord(),
)
# Its state is saved at an orderly end only (and every few seconds): killing it is losing data, by design.
TERMINATED = (_part("emulator", "emulator (SIGTERM)", sent=signal.SIGTERM),)
