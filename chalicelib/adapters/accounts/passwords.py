"""Passwords with argon2id: 19 MiB, two passes, one lane (the OWASP cheat sheet's second choice)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB, TIME_COST, PARALLELISM = 19 * 1024, 2, 1


class Argon2Passwords:
    """The port `PasswordHasher`."""

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM)

    @cached_property
    def _random_hash(self) -> str:
        """A hash of a random password. Checking it takes an unknown user as long as a wrong password."""
        import secrets

        return self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        # Computed at the first try of any user, or the first unknown user of a process would take twice as long.
        random_hash = self._random_hash
        try:
            fits = self._hasher.verify(password_hash or random_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        return fits and password_hash is not None
