"""The system keyring, with a time limit: an unanswered unlock dialog must not block a command."""

import threading
from collections.abc import Callable
from typing import Any

SERVICE = "tollcast"
WAIT_S = 30.0


class VaultError(Exception):
    """The keyring is missing, locked, or does not answer."""


class Vault:
    """The system keyring. Backends of low priority (plain files, null) are not used."""

    name = "system keyring"

    def __init__(self, service: str = SERVICE) -> None:
        self._service = service

    def get(self, key: str) -> str | None:
        """Return a secret, or None. Raise VaultError."""
        value = _bounded(lambda: _backend().get_password(self._service, key))
        return value if isinstance(value, str) else None

    def set(self, key: str, secret: str) -> None:
        """Store a secret. Raise VaultError."""
        _bounded(lambda: _backend().set_password(self._service, key, secret))

    def delete(self, key: str) -> None:
        """Delete a secret. Raise VaultError, also when there is none."""
        _bounded(lambda: _backend().delete_password(self._service, key))


def _backend() -> Any:
    import keyring

    backend = keyring.get_keyring()
    if backend.priority < 1:
        raise VaultError("no keyring is available")
    return backend


def _bounded(action: Callable[[], Any]) -> Any:
    """Run a keyring call for WAIT_S at most. The thread is a daemon, so an open dialog does not block the exit."""
    results: list[Any] = []
    failure: list[VaultError] = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as error:  # backends raise errors of their system libraries, too
            failure.append(VaultError(str(error) or type(error).__name__))

    thread = threading.Thread(target=run, daemon=True, name="keyring")
    thread.start()
    thread.join(WAIT_S)
    if failure:
        raise failure[0]
    if not results:
        raise VaultError(f"no answer in {WAIT_S:.0f} s")
    return results[0]
