"""Starting, asking and stopping the supervisord of one platform."""

import contextlib
import os
import shutil
import signal
import socket
import sys
import time
import xmlrpc.client  # nosec B411
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from infra.local.layout import ROOT, Layout
from infra.local.processes import process_groups
from infra.local.processes.locking import child

# supervisord alone is asked by XML-RPC, on a socket in a directory that is ours alone: what it says is trusted.
CONFIG = ROOT / "infra" / "local" / "supervisord.conf"
START_S_MAX = 15.0
# The longest stopwaitsecs, and what supervisord needs itself.
STOP_S_MAX = 40.0
ANSWER_S_MAX = 5.0
LEFTOVER_GRACE_S = 10.0
PARTS = ("emulator", "api", "endpoints", "scheduler", "worker", "refusals", "ingest", "nginx", "usage")


class SupervisionError(Exception):
    """supervisord does not do what it should; the message says what."""


@dataclass(frozen=True)
class PartState:
    """What supervisord knows of a part: its state (`RUNNING`, `BACKOFF`, …), process id and how long it is up."""

    name: str
    state: str
    pid: int
    up_s: int


class Supervisor:
    """The supervisord of one state directory, and of no other."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._socket = layout.socket("supervisor")

    def pid(self) -> int | None:
        """The process id of a supervisord that lives, from its pid file; None if that is missing or stale."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self._layout.run_dir / "supervisord.pid").read_text())
            # Whatever else has got that number by now does not run on our configuration and directory.
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                environment = Path(f"/proc/{pid}/environ").read_bytes()
                marker = f"TOLLCAST_STATE_DIR={self._layout.state_dir}".encode()
                if str(CONFIG).encode() in command and marker in environment.split(b"\0"):
                    return pid
        return None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start supervisord in a session of its own, holding no file of the caller's, and wait until it answers."""
        self.clear()
        self._socket.unlink(missing_ok=True)
        said = self._layout.log_dir / "supervisord.out"
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(CONFIG)]
        with (
            said.open("w") as output,
            child(command, cwd=str(ROOT), env=environment, output=output, detached=True) as process,
        ):
            deadline = time.monotonic() + START_S_MAX
            while not self.answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SupervisionError(f"supervisord did not start:\n{said.read_text(errors='replace')[-2000:]}")
                time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it takes commands."""
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def states(self) -> dict[str, PartState]:
        """All parts. Raises `SupervisionError` if supervisord does not answer."""
        try:
            found = self._call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error) as error:
            raise SupervisionError(f"supervisord does not answer ({error}); `make down` ends it") from None
        return {
            info["name"]: PartState(info["name"], info["statename"], info["pid"], max(0, info["now"] - info["start"]))
            for info in found
        }

    def start_part(self, name: str) -> None:
        """Start a part unless it runs; does not wait."""
        with contextlib.suppress(xmlrpc.client.Fault):  # It runs already.
            self._call("startProcess", name, False)

    def stop_part(self, name: str) -> None:
        """Stop a part and wait until it has ended; it stays so until it is started again."""
        self._stop_parts([name])

    def clear(self) -> int:
        """End what a killed supervisord left behind, the emulator last; answers how many processes."""
        return sum(
            process_groups.end_group(self._layout.run_dir, part, grace_s=LEFTOVER_GRACE_S) for part in reversed(PARTS)
        )

    def stop(self) -> int:
        """Stop all parts, the emulator last, then supervisord, then what is left over: that is the answer."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(SupervisionError, OSError):  # It hangs, or has just been killed.
                self._stop_parts([part for part in PARTS if part != "emulator"])
                self._stop_parts(["emulator"])
            self._end(pid)
        left = self.clear()
        # Sockets and process ids mean nothing any more.
        shutil.rmtree(self._layout.run_dir, ignore_errors=True)
        return left

    def _stop_parts(self, names: list[str]) -> None:
        for name in names:
            with contextlib.suppress(xmlrpc.client.Fault):  # It does not run.
                self._call("stopProcess", name, False)
        deadline = time.monotonic() + STOP_S_MAX
        while time.monotonic() < deadline:
            states = self.states()
            if all(states[name].state in ("STOPPED", "EXITED", "FATAL", "UNKNOWN") for name in names):
                return
            time.sleep(0.1)

    def _end(self, pid: int) -> None:
        for sent, wait_s in ((signal.SIGTERM, STOP_S_MAX), (signal.SIGKILL, ANSWER_S_MAX)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
            deadline = time.monotonic() + wait_s
            while self._lives(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            if not self._lives(pid):
                return
        raise SupervisionError(f"supervisord (pid {pid}) does not end")

    @staticmethod
    def _lives(pid: int) -> bool:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # Where it is our own child: nobody else would collect it.
        found = process_groups.find_process(pid)
        return found is not None and found.state not in "ZX"

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(ANSWER_S_MAX)  # The transport takes no time-out of its own.
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            socket.setdefaulttimeout(before)
            transport.close()
