"""The command line of `tollcast-admin`: in this process, or as a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from player.auth import vault
from player.cli import main as player_main
from player.http import client
from tollcast_admin.cli import main

ADMIN_EMAIL, ADMIN_PASSWORD = "ops@local", "a long password"


def no_keyring() -> None:
    raise vault.VaultError("tests use no keyring")


class Admin:
    """A command line with a home directory of its own."""

    def __init__(self, server: str, home: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(vault, "_backend", no_keyring)
        patch.setattr(client, "TIMEOUT_S", httpx.Timeout(60))  # a busy machine is not what is tested here
        self.server, self.home = server, home

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "TOLLCAST_SERVER": self.server,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def login(self, email: str, password: str) -> "Admin":
        """Log in, and return this command line."""
        self.ok("login", "--email", email, "--password-stdin", stdin=f"{password}\n")
        return self

    def run(self, *words: str, stdin: str = "", columns: int = 80) -> Result:
        env = {**self.environment, "COLUMNS": str(columns)}
        return CliRunner().invoke(main, words, input=stdin, env=env, prog_name="tollcast-admin")

    def player(self, *words: str, stdin: str = "", server: str = "") -> Result:
        """Run the viewer's command in the same home directory."""
        env = self.environment | ({"TOLLCAST_SERVER": server} if server else {})
        return CliRunner().invoke(player_main, words, input=stdin, env=env, prog_name="player")

    def ok(self, *words: str, stdin: str = "", columns: int = 80) -> str:
        """Run a command that has to succeed, and return its standard output."""
        done = self.run(*words, stdin=stdin, columns=columns)
        assert done.exit_code == 0, f"{words}: {done.output} {done.exception!r}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.ok(*words))

    def refused(self, *words: str, stdin: str = "") -> tuple[int, str]:
        """Run a command that has to fail, and return its exit status and what it wrote."""
        done = self.run(*words, stdin=stdin)
        assert done.exit_code != 0, f"{words}: {done.output}"
        return done.exit_code, done.output

    def process(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command as a process, with pipes."""
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | self.environment
        argv = [sys.executable, "-W", "error", "-m", "tollcast_admin", *words]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(argv, env=env, text=True, **pipes)
