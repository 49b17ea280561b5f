"""The player as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil


def assert_all_is_closed(stderr: str) -> None:
    """Check that Python warned of no file or connection that was left open."""
    assert "ResourceWarning" not in stderr and "Traceback" not in stderr, stderr


@dataclass
class PlayProcess:
    process: "subprocess.Popen[str]"
    control: Path

    def finish(self, timeout_s: float = 30.0) -> tuple[int, dict[str, Any]]:
        """Wait for the end; return the exit status and the receipt."""
        out, err = self.process.communicate(timeout=timeout_s)
        assert out.strip(), f"no receipt; stderr: {err}"
        assert_all_is_closed(err)
        return self.process.returncode, json.loads(out)

    def interrupt(self) -> tuple[int, dict[str, Any]]:
        """Press Ctrl-C, and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        return self.finish()

    def quit(self) -> tuple[int, dict[str, Any]]:
        """Close mpv, and wait for the end."""
        self.mpv("quit")
        return self.finish()

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

    def is_shown(self) -> bool:
        """Return whether mpv shows a picture."""
        try:
            return bool(self.mpv("get_property", "estimated-frame-number"))
        except (OSError, AssertionError):
            return False

    def position(self) -> float:
        """Return the position of the picture in seconds, 0 before the first one."""
        try:
            return float(self.mpv("get_property", "time-pos") or 0)
        except (OSError, AssertionError):
            return 0.0

    def mpv_pids(self) -> list[int]:
        """Return the mpv processes of this play, found by the control socket."""
        running = psutil.process_iter(["name", "cmdline"])
        option = f"--input-ipc-server={self.control}"
        return [each.pid for each in running if each.info["name"] == "mpv" and option in (each.info["cmdline"] or ())]


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
        done = subprocess.run(argv, input=stdin, env=env, capture_output=True, text=True, timeout=40)
        assert_all_is_closed(done.stderr)
        return done

    def login(self, **environment: str) -> "subprocess.CompletedProcess[str]":
        return self.run("login", "--email", "demo@local", "--password-stdin", stdin="demo\n", **environment)

    def play(
        self, *words: str, stream_id: str = "stream-1", mpv: tuple[str, ...] = (), **environment: str
    ) -> PlayProcess:
        return self.play_for_people("--headless", "--json", *words, stream_id=stream_id, mpv=mpv, **environment)

    def play_for_people(
        self, *words: str, stream_id: str = "stream-1", mpv: tuple[str, ...] = (), **environment: str
    ) -> PlayProcess:
        """Play with a window, and with a receipt in words."""
        control = self.home / f"mpv-{len(self.plays)}"
        argv = [sys.executable, "-W", "error", "-m", "player", "play", stream_id, *words]
        argv += ["--", f"--input-ipc-server={control}", *mpv]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(argv, env={**self.environment, **environment}, text=True, **pipes)
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


def texts_on_picture(log: Path) -> str:
    """Return the texts that mpv was given to show, one a line, from its log at the level `cplayer=trace`."""
    given = re.findall(r'show-text, .*\[text=("(?:[^"\\]|\\.)*")', log.read_text(errors="replace"))
    return "\n".join(map(json.loads, given))


def logged_in(server: str, home: Path, email: str, password: str) -> Player:
    """Return a command line of the player with this login."""
    player = Player(server, home)
    done = player.run("login", "--email", email, "--password-stdin", stdin=password)
    assert done.returncode == 0, done.stderr
    return player
