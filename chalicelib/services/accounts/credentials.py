"""A user's own credentials: changing the password, and ending all logins.

A user who ends logins may have had one stolen, so sessions end with them: heartbeats do not check the account.
"""

from collections.abc import Callable
from contextlib import suppress

from chalicelib.domain.accounts.users import check_new_password
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, Unauthenticated, UserNotFound
from chalicelib.ports.accounts.identity import PasswordHasher, Users
from chalicelib.ports.common import RowRefused, StoreUnavailable
from chalicelib.services.access.auth import Auth, Login
from chalicelib.services.money.billing import Billing


class Credentials:
    """A user's own password and logins."""

    def __init__(self, *, auth: Auth, users: Users, passwords: PasswordHasher, billing: Billing) -> None:
        self._auth = auth
        self._users = users
        self._passwords = passwords
        self._billing = billing

    def change_password(self, user_id: str, current: str, new: str, *, ip: str) -> Login:
        """Set another password, end all logins and sessions, and return a fresh login.

        Raise `Invalid`, `WrongPassword`, `TooManyRequests` after too many failures, or `Unauthenticated` after a
        concurrent change.
        """
        user = self._users.get(user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        check_new_password(new, user.email, current=current, field="new_password")
        self._auth.prove(user, current, ip=ip)
        hashed = self._passwords.hash(new)
        self._end_all(user_id, lambda: self._users.replace_password(user, hashed))
        return self._auth.open(self._auth.account(user_id))

    def logout_everywhere(self, user_id: str) -> None:
        """End all logins and sessions. Routes that check the account reject access tokens issued before."""
        self._end_all(user_id, lambda: self._users.end_logins(user_id))

    def _end_all(self, user_id: str, revoke: Callable[[], None]) -> None:
        # Sessions first: if that fails, the caller's token is still valid for a retry.
        self._billing.end_all(user_id, EndReason.VIEWER_STOPPED)
        try:
            revoke()
        except RowRefused:
            raise Unauthenticated("The account was changed meanwhile. Log in again.") from None
        # Sessions opened in between. A later start checks that its login has not ended.
        with suppress(StoreUnavailable, Busy):
            self._billing.end_all(user_id, EndReason.VIEWER_STOPPED)
