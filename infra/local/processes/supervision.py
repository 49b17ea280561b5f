"""Start, query and stop the supervisord of one platform."""

import contextlib
import os
import shutil
import socket
import sys
import time
import xmlrpc.client  # nosec B411
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from infra.local.layout import ROOT, Layout
from infra.local.processes import process_groups
from infra.local.processes.signals import child_process

# Only supervisord is queried by XML-RPC, on a socket in a directory of this user alone, so its answers are trusted.
CONFIG = ROOT / "infra" / "local" / "supervisord.conf"
START_S_MAX = 15.0
# The longest stopwaitsecs, plus the time of supervisord itself.
STOP_S_MAX = 40.0
ANSWER_S_MAX = 5.0
LEFTOVER_GRACE_S = 10.0
PARTS = ("emulator", "api", "endpoints", "scheduler", "worker", "refusals", "ingest", "nginx", "usage")
# Parts that run only if `make up` was asked for them.
OPTIONAL_PARTS = ("prometheus", "canary")
ALL_PARTS = (*PARTS, *OPTIONAL_PARTS)


class SupervisionError(Exception):
    """supervisord did not start, answer or end."""


@dataclass(frozen=True)
class PartState:
    """A part as supervisord reports it: its state (`RUNNING`, `BACKOFF`, …), process id and uptime."""

    name: str
    state: str
    pid: int
    up_s: int


class Supervisor:
    """The supervisord of one state directory."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._socket = layout.socket("supervisor")

    def pid(self) -> int | None:
        """Return the process id of the running supervisord, or None if its pid file is missing or stale."""
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.Error):
            found = psutil.Process(int((self._layout.run_dir / "supervisord.pid").read_text()))
            # Another process that has the same number now has neither our configuration nor our directory.
            directory = found.environ().get("TOLLCAST_STATE_DIR")
            if str(CONFIG) in found.cmdline() and directory == str(self._layout.state_dir):
                return int(found.pid)
        return None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start supervisord in its own session, without open files of the caller, and wait until it answers."""
        self.clear()
        self._socket.unlink(missing_ok=True)
        output_path = self._layout.log_dir / "supervisord.out"
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(CONFIG)]
        with (
            output_path.open("w") as output,
            child_process(command, cwd=str(ROOT), env=environment, output=output, detached=True) as process,
        ):
            deadline = time.monotonic() + START_S_MAX
            while not self.answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    text = output_path.read_text(errors="replace")
                    raise SupervisionError(f"supervisord did not start:\n{text[-2000:]}")
                time.sleep(0.05)

    def answers(self) -> bool:
        """Return whether supervisord accepts commands."""
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def states(self) -> dict[str, PartState]:
        """Return all parts by name. Raise `SupervisionError` if supervisord does not answer."""
        try:
            found = self._call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error) as error:
            raise SupervisionError(f"supervisord does not answer ({error}). `make down` ends it.") from None
        return {
            info["name"]: PartState(info["name"], info["statename"], info["pid"], max(0, info["now"] - info["start"]))
            for info in found
        }

    def start_part(self, name: str) -> None:
        """Start a part unless it runs. Do not wait for it."""
        with contextlib.suppress(xmlrpc.client.Fault):  # It runs already.
            self._call("startProcess", name, False)

    def stop_parts(self, names: list[str]) -> None:
        """Stop parts and wait until they have ended. supervisord does not restart them."""
        for name in names:
            with contextlib.suppress(xmlrpc.client.Fault):  # It does not run.
                self._call("stopProcess", name, False)
        deadline = time.monotonic() + STOP_S_MAX
        while time.monotonic() < deadline:
            states = self.states()
            found = [states[name].state for name in names if name in states]
            if all(state in ("STOPPED", "EXITED", "FATAL", "UNKNOWN") for state in found):
                return
            time.sleep(0.1)

    def clear(self) -> int:
        """End what a killed supervisord left behind, the emulator last. Return the number of processes."""
        run_dir = self._layout.run_dir
        return sum(process_groups.end_group(run_dir, part, grace_s=LEFTOVER_GRACE_S) for part in reversed(ALL_PARTS))

    def stop(self) -> int:
        """Stop all parts, usage and the emulator last, then supervisord. Return how many processes had to be ended."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(SupervisionError, OSError):  # It hangs, or was killed a moment ago.
                self.stop_parts([part for part in ALL_PARTS if part not in ("usage", "emulator")])
                # It reads the end of nginx's log, writes to the emulator, and leaves.
                self.stop_parts(["usage"])
                self.stop_parts(["emulator"])
            if not process_groups.end_processes(lambda: [pid] if self._lives(pid) else [], STOP_S_MAX):
                raise SupervisionError(f"supervisord (pid {pid}) does not end. Kill it, then run `make down`.")
        left = self.clear()
        # The sockets and process ids in it are stale now.
        shutil.rmtree(self._layout.run_dir, ignore_errors=True)
        return left

    @staticmethod
    def _lives(pid: int) -> bool:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # If it is a child of this process, only this process can collect it.
        found = process_groups.find_process(pid)
        return found is not None and found.state not in "ZX"

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(ANSWER_S_MAX)  # The transport has no time-out parameter.
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            socket.setdefaulttimeout(before)
            transport.close()
