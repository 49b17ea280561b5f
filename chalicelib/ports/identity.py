"""Accounts, passwords and tokens."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.access.tokens import AccessClaims, PlayClaims, RefreshClaims
from chalicelib.domain.accounts.users import RefreshFamily, User
from chalicelib.ports.common import ListPage


class Users(Protocol):
    """Accounts."""

    def add(self, user: User) -> None:
        """Raises `EmailTaken` if another account has the email."""
        ...

    def get(self, user_id: str) -> User | None:
        """A consistent read."""
        ...

    def by_email(self, email: str) -> User | None:
        """Emails are compared in lower case."""
        ...

    def list(self, *, limit: int, cursor: str | None) -> ListPage[User]:
        """All accounts, in no order."""
        ...

    def change(
        self, user_id: str, *, password_hash: str | None = None, role: str | None = None, disabled: bool | None = None
    ) -> User:
        """Set what is given; a password and disabling end all logins, as `end_logins`. Raises `UserNotFound`."""
        ...

    def replace_password(self, seen: User, password_hash: str) -> None:
        """Set a password and end all logins, unless the account is disabled or its logins have been ended since.

        Raises `RowRefused` then.
        """
        ...

    def end_logins(self, user_id: str) -> None:
        """Drop all refresh families and raise the token generation. Raises `UserNotFound`."""
        ...

    def erase(self, seen: User, now_ms: int) -> None:
        """Delete a disabled account with its email; only its id stays, and when that was.

        Raises `RowRefused` if the account was enabled or changed since.
        """
        ...

    def erased_at_ms(self, user_id: str) -> int | None:
        """When an account was erased; None if it was not, or never was."""
        ...

    def add_family(self, seen: User, family: RefreshFamily, drop: Sequence[str]) -> None:
        """Record a login and drop the families named; `RowRefused` if its logins were ended since."""
        ...

    def rotate_family(self, user_id: str, seen: RefreshFamily, new: RefreshFamily) -> None:
        """Replace a family's token if it is still as seen, else raise `RowRefused`."""
        ...

    def drop_family(self, user_id: str, family_id: str) -> None:
        """Revoke a login. Idempotent."""
        ...


class PasswordHasher(Protocol):
    """argon2id."""

    def hash(self, password: str) -> str:
        """A new hash with its own salt."""
        ...

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits; for None it takes as long and answers False."""
        ...


class Tokens(Protocol):
    """Signing and checking of the three kinds of token. Checks raise `Unauthenticated` or `TokenExpired`."""

    def sign_access(self, claims: AccessClaims) -> str:
        """An access token."""
        ...

    def sign_refresh(self, claims: RefreshClaims) -> str:
        """A refresh token."""
        ...

    def sign_play(self, claims: PlayClaims) -> str:
        """A play token."""
        ...

    def access(self, token: str, now_ms: int) -> AccessClaims:
        """Check an access token."""
        ...

    def refresh(self, token: str, now_ms: int) -> RefreshClaims:
        """Check a refresh token."""
        ...

    def play(self, token: str) -> PlayClaims:
        """Check a play token's signature and kind, not its expiry: a session's end reason goes before that."""
        ...
