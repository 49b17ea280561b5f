"""The ports `Users`, in memory, and `PasswordHasher`, which counts and hides nothing."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain.accounts.users import ListedUser, RefreshFamily, User, UserFilter, edited
from chalicelib.domain.errors import EmailTaken, UserNotFound
from chalicelib.ports.common import ListPage, RowRefused
from tests.fakes.simple import page_of


class MemoryUsers:
    def __init__(self) -> None:
        self.rows: dict[str, User] = {}
        self.erased: dict[str, int] = {}

    def add(self, user: User) -> None:
        if self.by_email(user.email) is not None:
            raise EmailTaken("taken")
        self.rows[user.user_id] = user

    def get(self, user_id: str) -> User | None:
        return self.rows.get(user_id)

    def by_email(self, email: str) -> User | None:
        return next((user for user in self.rows.values() if user.email.lower() == email.lower()), None)

    def list(self, wanted: UserFilter, *, limit: int, cursor: str | None) -> ListPage[ListedUser]:
        found = sorted((user for user in self.rows.values() if wanted.fits(user)), key=lambda user: user.email.lower())
        names = ListedUser.__dataclass_fields__
        return page_of([ListedUser(**{name: getattr(user, name) for name in names}) for user in found], limit, cursor)

    def change(
        self,
        user_id: str,
        *,
        password_hash: str | None = None,
        role: str | None = None,
        disabled: bool | None = None,
        version: int | None = None,
    ) -> User:
        user = self._known(user_id)
        if version is not None and user.version != version:
            raise RowRefused
        user = edited(user, password_hash=password_hash, role=role, disabled=disabled)
        if password_hash or disabled:
            user = replace(user, families={}, token_generation=user.token_generation + 1)
        self.rows[user_id] = user
        return user

    def replace_password(self, seen: User, password_hash: str) -> None:
        self._as_seen(seen)
        self.change(seen.user_id, password_hash=password_hash)

    def end_logins(self, user_id: str) -> None:
        user = self._known(user_id)
        self.rows[user_id] = replace(user, families={}, token_generation=user.token_generation + 1)

    def erase(self, seen: User, now_ms: int) -> None:
        user = self.rows.get(seen.user_id)
        if user is None or not user.disabled or user.token_generation != seen.token_generation:
            raise RowRefused
        del self.rows[seen.user_id]
        self.erased[seen.user_id] = now_ms

    def erased_at_ms(self, user_id: str) -> int | None:
        return self.erased.get(user_id)

    def add_family(self, seen: User, family: RefreshFamily, drop: Sequence[str]) -> None:
        user = self._known(seen.user_id)
        self._as_seen(seen)
        kept = {key: value for key, value in user.families.items() if key not in drop}
        self.rows[user.user_id] = replace(user, families={**kept, family.family_id: family})

    def rotate_family(self, user_id: str, seen: RefreshFamily, new: RefreshFamily) -> None:
        user = self._known(user_id)
        if user.families.get(seen.family_id) != seen:
            raise RowRefused
        self.rows[user_id] = replace(user, families={**user.families, new.family_id: new})

    def drop_family(self, user_id: str, family_id: str) -> None:
        user = self._known(user_id)
        kept = {key: value for key, value in user.families.items() if key != family_id}
        self.rows[user_id] = replace(user, families=kept)

    def _as_seen(self, seen: User) -> None:
        user = self._known(seen.user_id)
        same = (user.password_hash, user.token_generation) == (seen.password_hash, seen.token_generation)
        if user.disabled or not same:
            raise RowRefused

    def _known(self, user_id: str) -> User:
        if user_id not in self.rows:
            raise UserNotFound("unknown")
        return self.rows[user_id]


class CountingPasswords:
    """A fake that records the hash of each check in `checked`, or None for an unknown user."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        self.checked.append(password_hash)
        return password_hash == self.hash(password)
