"""The viewer of the demo: the real `player` command."""

import os
import subprocess
import sys

from infra.local.demo.operator import OperatorError
from infra.local.layout import Layout, environment
from infra.local.processes.signals import ignored_signals, wait_or_kill
from infra.local.setup import seed

LOGIN_S_MAX = 30.0


class Terminated(KeyboardInterrupt):
    """An interruption by a signal that, unlike Ctrl-C, the player does not receive itself."""


class Player:
    """The `player` command with a separate login. It does not use the login and keyring of the user."""

    def __init__(self, layout: Layout) -> None:
        home = layout.state_dir / "demo-home"
        inherited = {key: value for key, value in environment(layout, os.environ).items() if not key.startswith("AWS_")}
        self._environ = inherited | {
            "TOLLCAST_SERVER": layout.url,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        self._command = [sys.executable, "-m", "player"]

    def login(self) -> None:
        """Log the demo viewer in. Raise `OperatorError`."""
        self.run("login", "--email", seed.VIEWER_EMAIL, "--password-stdin", stdin=seed.VIEWER_PASSWORD, needed=True)

    def run(self, *arguments: str, stdin: str = "", needed: bool = False) -> None:
        """Run a short command. Raise `OperatorError` if it fails and `needed` is set."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LOGIN_S_MAX,
        )
        if needed and done.returncode:
            raise OperatorError(f"`player {arguments[0]}` failed: {done.stderr.strip()}")

    def play(self) -> int:
        """Play in the foreground until the end. Return the player's exit status."""
        process = subprocess.Popen([*self._command, "play", seed.STREAM_ID], env=self._environ)
        try:
            return process.wait()
        except BaseException as interruption:
            # The player stops its session and receives the refund before the platform stops.
            if not isinstance(interruption, KeyboardInterrupt) or isinstance(interruption, Terminated):
                process.terminate()
            with ignored_signals():
                wait_or_kill(process)
            raise
