"""Accounts for operators: create, change, list. Each account has a wallet, which begins at zero."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chalicelib.domain.accounts.users import (
    ListedUser,
    Role,
    User,
    UserFilter,
    check_credentials,
    check_new_password,
    check_user_version,
)
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, EmailTaken, UserNotFound
from chalicelib.domain.ids import USER_ID, is_canary, new_canary_id, new_user_id
from chalicelib.domain.operations.audit import Action, Actor, account_action, user_values
from chalicelib.domain.versions import Expected
from chalicelib.ports.accounts.identity import PasswordHasher, Users
from chalicelib.ports.common import Clock, ListPage, RowRefused
from chalicelib.ports.money.money import Wallets
from chalicelib.ports.operations.labels import Labels
from chalicelib.services.money.billing import Billing
from chalicelib.services.operations.audit import Audit


class Accounts:
    """Accounts as operators manage them."""

    def __init__(
        self,
        *,
        users: Users,
        wallets: Wallets,
        passwords: PasswordHasher,
        billing: Billing,
        labels: Labels,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._users = users
        self._wallets = wallets
        self._passwords = passwords
        self._billing = billing
        self._labels = labels
        self._audit = audit
        self._clock = clock

    def create(
        self, email: str, password: str, role: Role, *, user_id: str | None = None, by: Actor | None = None
    ) -> User:
        """Create an account with an empty wallet, and an id at random by default. Raise `EmailTaken` or `Invalid`."""
        check_new_password(password, email)
        user = User(
            user_id=user_id or new_user_id(),
            email=email,
            password_hash=self._passwords.hash(password),
            role=role,
            created_at_ms=self._clock.now_ms(),
        )
        # The wallet first: a wallet without an account is harmless, an account without a wallet is not.
        self._wallets.create(user.user_id)
        self._users.add(user)
        self._audit.record(by, account_action(None, user))
        return user

    def ensure_user(self, email: str, password: str, role: Role) -> User:
        """Return the account with this email, created if missing. An existing one stays as it is."""
        return self._users.by_email(email) or self.create(email, password, role)

    def make_admin(self, email: str, password: str, *, by: Actor) -> User:
        """Return the account with this email as an enabled admin with this password. Raise `Invalid`."""
        check_credentials(email, password)
        user = self._users.by_email(email)
        if user is None:
            return self.create(email, password, Role.ADMIN, by=by)
        return self.change(user.user_id, password=password, role=Role.ADMIN, disabled=False, by=by)

    def make_canary(self, email: str, password: str, *, by: Actor) -> User:
        """Return the synthetic viewer with this email, enabled and with this password.

        Raise `EmailTaken` if another account has the email, or `Invalid`.
        """
        check_credentials(email, password)
        user = self._users.by_email(email)
        if user is None:
            return self.create(email, password, Role.VIEWER, user_id=new_canary_id(), by=by)
        if not is_canary(user.user_id):
            raise EmailTaken(f"The account {email} is a person's: its sessions count. Use another email.")
        return self.change(user.user_id, password=password, disabled=False, by=by)

    def emails(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Return the emails of these accounts, by a batch of reads, without keys and erased accounts."""
        return self._labels.emails(each for each in user_ids if USER_ID.fullmatch(each))

    def id_of(self, email: str) -> str:
        """Return the id of the account with this email. Raise `UserNotFound`, also for an erased account."""
        user = self._users.by_email(email)
        if user is None:
            raise UserNotFound("There is no account with this email. Of an erased one, only the user id is kept.")
        return user.user_id

    def get(self, user_id: str) -> User:
        """Return the account. Raise `UserNotFound`."""
        user = self._users.get(user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user

    def listing(
        self,
        q: str | None = None,
        *,
        role: Role | None = None,
        disabled: bool | None = None,
        limit: int,
        cursor: str | None,
    ) -> ListPage[ListedUser | User]:
        """Return accounts by email: all, or those whose email begins with `q`, or the one whose id is `q`."""
        wanted = UserFilter(begins=q or "", role=role, disabled=disabled)
        if q and USER_ID.fullmatch(q):
            user = self._users.get(q)
            found = user is not None and replace(wanted, begins="").fits(user)
            return ListPage(items=[user] if user and found else [], next_cursor=None)
        page = self._users.list(wanted, limit=limit, cursor=cursor)
        return ListPage(items=page.items, next_cursor=page.next_cursor)

    def change(
        self,
        user_id: str,
        *,
        password: str | None = None,
        role: Role | None = None,
        disabled: bool | None = None,
        by: Actor | None = None,
        expected: Expected = None,
    ) -> User:
        """Set the given fields. A password or disabling ends all logins, and all sessions as `kicked`.

        Raise `UserNotFound`, `Invalid`, or `ChangedMeanwhile`, before anything is done, if the account has none of the
        expected versions.
        """
        seen = self.get(user_id)
        check_user_version(seen, expected)
        if password:
            check_new_password(password, seen.email)
        given = {"password": password, "role": role, "disabled": disabled}
        changes = {name for name, value in given.items() if value is not None}

        def look() -> Action | None:
            user = self._users.get(user_id)
            if user is None or (user_values(user), user.password_hash) == (user_values(seen), seen.password_hash):
                return None
            return account_action(seen, user, changes)

        with self._audit.also_unfinished(by, look):
            try:
                user = self._users.change(
                    user_id,
                    password_hash=self._passwords.hash(password) if password else None,
                    role=role.value if role else None,
                    disabled=disabled,
                    version=None if expected is None else seen.version,
                )
            except RowRefused:
                # Another change came first, so the version is no longer an expected one.
                check_user_version(self.get(user_id), expected)
                raise Busy("The account was changed meanwhile. Try again.") from None
            if disabled or password:
                self._billing.end_all(user_id, EndReason.KICKED)
        self._audit.record(by, account_action(seen, user, changes))
        return user
