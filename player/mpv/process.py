"""The mpv process: it cannot outlive the player, and ends in bounded time."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from player.errors import CliError
from player.exit_status import ExitStatus
from player.mpv.argv import mpv_argv
from player.mpv.ipc import MpvError, MpvIpc

PR_SET_PDEATHSIG = 1
START_TIMEOUT_S = 15.0
QUIT_WAIT_S = 1.0
LOG_LINES = 50
LOG_TAIL_LINES = 3


class MpvProcess:
    """A running mpv; `on_event` receives its IPC events. Raise CliError (status 7) if mpv is missing or fails."""

    def __init__(
        self,
        title: str,
        headless: bool,
        extra: Sequence[str],
        live_start_index: int,
        on_event: Callable[[dict[str, Any]], None],
    ) -> None:
        if shutil.which("mpv") is None:
            raise mpv_error("mpv is not installed.", "Install it: apt-get install mpv (or from https://mpv.io)")
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _spawn(mpv_argv(title, headless, theirs.fileno(), extra, live_start_index), theirs.fileno())
        self._log_thread = threading.Thread(target=self._read_log, name="mpv-log", daemon=True)
        self._log_thread.start()
        self._ipc = MpvIpc(ours, on_event)
        if not self._is_ready(headless):
            self.end()
            raise mpv_error(
                f"mpv did not start: {self.log_tail() or 'it wrote no message'}",
                "Correct that (or the options after --), or play without picture and sound: --headless",
            )

    def __enter__(self) -> "MpvProcess":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()

    def play(self, url: str) -> None:
        """Play an address instead of the current one. Raise MpvError."""
        self._ipc.command("loadfile", url, "replace")

    def observe(self, *names: str) -> None:
        """Request an event for each change of these properties. Raise MpvError."""
        for number, name in enumerate(names, start=1):
            self._ipc.command("observe_property", number, name)

    def is_paused(self) -> bool:
        """Return whether mpv is paused now."""
        return self._ipc.command("get_property", "pause") is True

    def show(self, text: str, seconds: float) -> None:
        """Show a text on the picture. Errors are ignored."""
        with suppress(MpvError):
            self._ipc.command("show-text", text, int(seconds * 1000), timeout_s=1.0)

    def exit_status(self, wait_s: float = 0.0) -> int | None:
        """Return mpv's exit status (negative: the signal that killed it), or None if it runs on after `wait_s`."""
        try:
            return self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End mpv: with a command, then SIGTERM, then SIGKILL. Takes 3 s at most."""
        with suppress(MpvError):
            self._ipc.command("quit", timeout_s=0.5)
        if self.exit_status(QUIT_WAIT_S) is None:
            self._process.terminate()
        if self.exit_status(QUIT_WAIT_S) is None:
            self._process.kill()
            self._process.wait()
        self._ipc.close()
        self._log_thread.join(1.0)

    def log_tail(self, secret: str | None = None) -> str:
        """Return the last lines of mpv's log as one line, without the relay's secret."""
        tail = " / ".join(list(self._log)[-LOG_TAIL_LINES:])
        return tail.replace(secret, "…") if secret else tail

    def _is_ready(self, headless: bool) -> bool:
        """Wait until mpv answers and, unless headless, has opened its window."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.exit_status() is None and time.monotonic() < deadline:
            with suppress(MpvError):
                self._ipc.command(
                    "get_property", "mpv-version" if headless else "current-vo", timeout_s=START_TIMEOUT_S
                )
                return True
            time.sleep(0.05)
        return False

    def _read_log(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if text := line.strip():
                    self._log.append(text)


def mpv_version() -> str | None:
    """Return mpv's version, such as `0.35.1`, or None when it is missing or does not work."""
    try:
        completed = subprocess.run(["mpv", "--no-config", "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = completed.stdout.split()
    return words[1] if len(words) > 1 else None


def mpv_error(message: str, advice: str) -> CliError:
    """Return the error for an mpv that is missing or failed."""
    return CliError(message, advice, ExitStatus.MPV_FAILED)


def _spawn(argv: list[str], ipc_fd: int) -> "subprocess.Popen[str]":
    # In its own session, so that Ctrl-C reaches the player only, which then ends mpv.
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=[ipc_fd],
        start_new_session=True,
        # ffmpeg would send even the requests to the relay through http_proxy.
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        preexec_fn=_die_with_parent() if sys.platform == "linux" else None,
    )


def _die_with_parent() -> Callable[[], None]:
    """Return what the child process runs before mpv, so that mpv is killed when the player dies."""
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def run() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the player died before the line above
            os._exit(1)

    return run
