"""The player as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class PlayProcess:
    """A running `player play`."""

    process: "subprocess.Popen[str]"
    control: Path

    def finish(self, timeout_s: float = 30.0) -> tuple[int, dict[str, Any]]:
        """Wait for the end; return the exit status and the receipt."""
        out, err = self.process.communicate(timeout=timeout_s)
        assert out.strip(), f"no receipt; stderr: {err}"
        return self.process.returncode, json.loads(out)

    def mpv(self, *command: Any) -> Any:
        """Send mpv a command, as the viewer's keyboard would."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.control))
            connection.sendall(json.dumps({"command": command, "request_id": 7}).encode() + b"\n")
            for line in connection.makefile():
                message = json.loads(line)
                if message.get("request_id") == 7:
                    return message.get("data")
        raise AssertionError("mpv closed the connection")

    def mpv_pids(self) -> list[int]:
        """Return the mpv processes of this play, found by the control socket."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                argv = entry.read_bytes().split(b"\0")
            except OSError:
                continue
            if argv[0].endswith(b"mpv") and f"--input-ipc-server={self.control}".encode() in argv:
                found.append(int(entry.parent.name))
        return found


@dataclass
class Player:
    """A command line of the player that runs as a process."""

    server: str
    home: Path
    plays: list[PlayProcess] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        keyring = "keyring.backends.null.Keyring"
        return {**inherited, "HOME": str(self.home), "TOLLCAST_SERVER": self.server, "PYTHON_KEYRING_BACKEND": keyring}

    def run(self, *words: str, stdin: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-W", "error", "-m", "player", *words]
        env = {**self.environment, **environment}
        return subprocess.run(argv, input=stdin, env=env, capture_output=True, text=True, timeout=40)

    def play(
        self, *words: str, stream_id: str = "stream-1", mpv: tuple[str, ...] = (), **environment: str
    ) -> PlayProcess:
        control = self.home / f"mpv-{len(self.plays)}"
        argv = [sys.executable, "-m", "player", "play", stream_id, "--headless", "--json", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            [*argv, "--", f"--input-ipc-server={control}", *mpv],
            env={**self.environment, **environment},
            text=True,
            **pipes,
        )
        play = PlayProcess(process, control)
        self.plays.append(play)
        return play

    def end_all(self) -> None:
        for play in self.plays:
            if play.process.poll() is None:
                play.process.kill()
            play.process.communicate(timeout=10)
            for pid in play.mpv_pids():
                os.kill(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], Any], timeout_s: float, complaint: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)
