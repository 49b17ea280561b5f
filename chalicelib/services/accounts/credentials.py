"""What people do with their own credentials: another password, and ending all logins.

Whoever ends logins does so because somebody else may have one. So sessions end with them: a session is watched by
whoever started it, and its heartbeats are not held against the account.
"""

from collections.abc import Callable
from contextlib import suppress

from chalicelib.domain.accounts.users import check_new_password
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, Unauthenticated, UserNotFound
from chalicelib.ports import PasswordHasher, RowRefused, StoreUnavailable, Users
from chalicelib.services.access.auth import Auth, Login
from chalicelib.services.money.billing import Billing


class Credentials:
    """One's own password and logins."""

    def __init__(self, *, auth: Auth, users: Users, passwords: PasswordHasher, billing: Billing) -> None:
        self._auth = auth
        self._users = users
        self._passwords = passwords
        self._billing = billing

    def change_password(self, user_id: str, current: str, new: str, *, ip: str) -> Login:
        """Set another password; all logins and sessions end, and a fresh login is answered.

        Raises `Invalid`, `WrongPassword`, `TooManyRequests` after too many of those, `Unauthenticated` when somebody
        else was faster.
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
        """End all logins and sessions. Access tokens issued before are refused wherever the account is looked at."""
        self._end_all(user_id, lambda: self._users.end_logins(user_id))

    def _end_all(self, user_id: str, revoke: Callable[[], None]) -> None:
        # Sessions first: should that fail, the caller's token is still good for another try.
        self._billing.end_all(user_id, EndReason.VIEWER_STOPPED)
        try:
            revoke()
        except RowRefused:
            raise Unauthenticated("The account was changed meanwhile; log in again.") from None
        # Those that were opened in between. A start that is later still sees for itself that its login has ended.
        with suppress(StoreUnavailable, Busy):
            self._billing.end_all(user_id, EndReason.VIEWER_STOPPED)
