"""The stored logins: in the system keyring if it works, else in a file that only its owner can read."""

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from player.auth.vault import Vault, VaultError
from player.errors import CliError, KeyringUnavailableError
from player.exit_status import ExitStatus
from player.files import write_private

LOCK_WAIT_S = 20.0


@dataclass(frozen=True)
class Login:
    """One account's tokens on one server. The access token expires at `expires_at`, in seconds of the local clock."""

    server: str
    user_id: str
    email: str
    role: str
    access_token: str
    refresh_token: str
    expires_at: float

    @classmethod
    def from_response(cls, server: str, response: dict[str, Any]) -> "Login":
        """Build a login from the answer of `/auth/login` or `/auth/refresh`."""
        user = response["user"]
        return cls(
            server=server,
            user_id=user["user_id"],
            email=user["email"],
            role=user["role"],
            access_token=response["access_token"],
            refresh_token=response["refresh_token"],
            expires_at=time.time() + response["expires_in"],
        )


class TokenStore:
    """Logins by server, in one directory (mode 0700). Methods raise CliError when the disk or keyring fails.

    `program` is the command whose logins these are, for errors.
    """

    def __init__(self, directory: Path, vault: Vault, program: str = "player") -> None:
        self.program = program
        self._directory = directory
        self._vault = vault

    def load(self, server: str) -> Login | None:
        """Return the stored login, or None. Raise KeyringUnavailableError when the keyring is locked."""
        entry = _read_json(self._path(server))
        if entry is None:
            return None
        if entry.get("kept_in") == "keyring":
            try:
                text = self._vault.get(server)
            except VaultError as error:
                raise KeyringUnavailableError(str(error), self.program) from None
            entry = json.loads(text) if text else None
        return _as_login(entry)

    def save(self, login: Login) -> str:
        """Store a login and return where. If the keyring fails, use a file: a rotated token must not be lost."""
        text = json.dumps(asdict(login))
        try:
            self._vault.set(login.server, text)
            entry: dict[str, Any] = {"server": login.server, "kept_in": "keyring"}
        except VaultError:
            entry = {"kept_in": "file", **asdict(login)}
        self._write(self._path(login.server), entry)
        return self.place(login.server)

    def delete(self, server: str) -> None:
        """Delete a login from the keyring or the file, if there is one."""
        if self.place(server) == self._vault.name:
            with suppress(VaultError):
                self._vault.delete(server)
        self._path(server).unlink(missing_ok=True)

    def place(self, server: str) -> str:
        """Return where the tokens for a server are stored: the keyring's name, a file's path, or an empty string."""
        entry = _read_json(self._path(server))
        if entry is None:
            return ""
        return self._vault.name if entry.get("kept_in") == "keyring" else str(self._path(server))

    def remember_server(self, server: str) -> None:
        """Make a server the default for later commands."""
        self._write(self._directory / "server.json", {"server": server})

    def remembered_server(self) -> str | None:
        """Return the server of the last login, or None."""
        entry = _read_json(self._directory / "server.json")
        return entry.get("server") if entry else None

    @contextmanager
    def locked(self, server: str) -> Iterator[None]:
        """Hold a lock, so that two player processes cannot rotate the same refresh token."""
        self._make_directory()
        with self._path(server).with_suffix(".lock").open("w") as handle:
            deadline = time.monotonic() + LOCK_WAIT_S
            while not _try_lock(handle.fileno()):
                if time.monotonic() > deadline:
                    raise _disk_error(f"another {self.program} process holds the lock on the tokens")
                time.sleep(0.05)
            yield

    def _path(self, server: str) -> Path:
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", server)[:60]
        return self._directory / f"{readable}-{hashlib.sha256(server.encode()).hexdigest()[:8]}.json"

    def _make_directory(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _disk_error(str(error)) from None

    def _write(self, path: Path, entry: dict[str, Any]) -> None:
        """Replace a file atomically; only its owner can read it."""
        self._make_directory()
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            write_private(draft, json.dumps(entry))
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise _disk_error(str(error)) from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _as_login(entry: dict[str, Any] | None) -> Login | None:
    names = Login.__dataclass_fields__
    if entry is None or not names.keys() <= entry.keys():
        return None
    return Login(**{name: entry[name] for name in names})


def _disk_error(detail: str) -> CliError:
    return CliError(
        f"The login cannot be stored: {detail.rstrip('.')}.",
        "Free some disk space, or correct the permissions there.",
        ExitStatus.FAILED,
    )
