"""Accounts, passwords and tokens."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.access.tokens import AccessClaims, PlayClaims, RefreshClaims
from chalicelib.domain.accounts.users import ListedUser, RefreshFamily, User, UserFilter
from chalicelib.ports.common import ListPage


class Users(Protocol):
    """Accounts."""

    def add(self, user: User) -> None:
        """Add an account. Raise `EmailTaken` if another account has the email."""

    def get(self, user_id: str) -> User | None:
        """Return an account by a consistent read."""

    def by_email(self, email: str) -> User | None:
        """Return the account with an email, compared in lower case."""

    def list(self, wanted: UserFilter, *, limit: int, cursor: str | None) -> ListPage[ListedUser]:
        """Return accounts by email in lower case. The list may be a second behind the accounts."""

    def change(
        self,
        user_id: str,
        *,
        password_hash: str | None = None,
        role: str | None = None,
        disabled: bool | None = None,
        version: int | None = None,
    ) -> User:
        """Set the given fields. A password and disabling end all logins, as `end_logins`.

        The account's version rises if a field differs. Raise `UserNotFound`, `Busy` if concurrent changes win at every
        try, and `RowRefused` if the account does not have the `version`.
        """

    def replace_password(self, seen: User, password_hash: str) -> None:
        """Set a password and end all logins.

        Raise `RowRefused` if the account is disabled or its logins were ended since `seen`.
        """

    def end_logins(self, user_id: str) -> None:
        """Drop all refresh families and raise the token generation. Raise `UserNotFound`."""

    def erase(self, seen: User, now_ms: int) -> None:
        """Delete a disabled account with its email. Its id and the time stay.

        Raise `RowRefused` if the account was enabled or changed since `seen`.
        """

    def erased_at_ms(self, user_id: str) -> int | None:
        """Return when an account was erased, or None."""

    def add_family(self, seen: User, family: RefreshFamily, drop: Sequence[str]) -> None:
        """Add a login and drop the given families. Raise `RowRefused` if logins were ended since `seen`."""

    def rotate_family(self, user_id: str, seen: RefreshFamily, new: RefreshFamily) -> None:
        """Replace a family's token. Raise `RowRefused` if it changed since `seen`."""

    def drop_family(self, user_id: str, family_id: str) -> None:
        """Revoke a login. Idempotent."""


class PasswordHasher(Protocol):
    """Password hashes with argon2id."""

    def hash(self, password: str) -> str:
        """Return a new hash with its own salt."""

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password fits. For None it takes the same time and returns False."""


class Tokens(Protocol):
    """Signing and checking of the three kinds of token. Checks raise `Unauthenticated` or `TokenExpired`."""

    def sign_access(self, claims: AccessClaims) -> str:
        """Return an access token."""

    def sign_refresh(self, claims: RefreshClaims) -> str:
        """Return a refresh token."""

    def sign_play(self, claims: PlayClaims) -> str:
        """Return a play token."""

    def access(self, token: str, now_ms: int) -> AccessClaims:
        """Check an access token and return its claims."""

    def refresh(self, token: str, now_ms: int) -> RefreshClaims:
        """Check a refresh token and return its claims."""

    def play(self, token: str) -> PlayClaims:
        """Check a play token's signature and kind, not its expiry: a session's end reason has priority."""
