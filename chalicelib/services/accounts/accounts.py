"""Accounts: making, changing and listing them. Each has a wallet, which begins at zero."""

from chalicelib.domain.accounts.users import Role, User, check_new_password
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import UserNotFound
from chalicelib.domain.ids import new_user_id
from chalicelib.ports import Clock, ListPage, PasswordHasher, Users, Wallets
from chalicelib.services.money.billing import Billing


class Accounts:
    """Users as operators handle them."""

    def __init__(
        self, *, users: Users, wallets: Wallets, passwords: PasswordHasher, billing: Billing, clock: Clock
    ) -> None:
        self._users = users
        self._wallets = wallets
        self._passwords = passwords
        self._billing = billing
        self._clock = clock

    def create(self, email: str, password: str, role: Role) -> User:
        """A new account with an empty wallet. Raises `EmailTaken`, `Invalid`."""
        check_new_password(password, email)
        user = User(
            user_id=new_user_id(),
            email=email,
            password_hash=self._passwords.hash(password),
            role=role,
            created_at_ms=self._clock.now_ms(),
        )
        # The wallet first: a wallet without an account harms nobody, an account without a wallet would.
        self._wallets.create(user.user_id)
        self._users.add(user)
        return user

    def ensure_user(self, email: str, password: str, role: Role) -> User:
        """The account with this email, made if there is none; an existing one is left as it is."""
        return self._users.by_email(email) or self.create(email, password, role)

    def get(self, user_id: str) -> User:
        """The account; raises `UserNotFound`."""
        user = self._users.get(user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user

    def listing(self, *, limit: int, cursor: str | None) -> ListPage[User]:
        """All accounts."""
        return self._users.list(limit=limit, cursor=cursor)

    def change(
        self, user_id: str, *, password: str | None = None, role: Role | None = None, disabled: bool | None = None
    ) -> User:
        """Set what is given; another password and disabling end all logins, and all sessions as `kicked`.

        Raises `UserNotFound`, `Invalid`.
        """
        if password:
            check_new_password(password, self.get(user_id).email)
        user = self._users.change(
            user_id,
            password_hash=self._passwords.hash(password) if password else None,
            role=role.value if role else None,
            disabled=disabled,
        )
        if disabled or password:
            self._billing.end_all(user_id, EndReason.KICKED)
        return user
