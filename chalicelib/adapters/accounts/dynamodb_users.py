"""Accounts in DynamoDB.

An email is a row of its own (`email:<email>`), so that two accounts can never share one: a global index could not
guarantee that, nor be read consistently. Of an erased account, the id and the time stay. `list_key` and `email_key` are
an account's place in the list (`list_keys.py`); they follow its role and whether it is disabled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.adapters.aws import ConditionFailed, TransactionRefused
from chalicelib.adapters.dynamodb import call, get_item, known, parameters, transact
from chalicelib.adapters.list_keys import EMAIL_PARTITIONS, account_keys, account_list, email_key, email_partition
from chalicelib.adapters.ordered_index import IndexRow, OrderedIndex, cut, place_of
from chalicelib.domain.accounts.users import EMAIL, ListedUser, RefreshFamily, Role, User, UserFilter, edited
from chalicelib.domain.errors import Busy, EmailTaken, UserNotFound
from chalicelib.domain.versions import Change
from chalicelib.ports.common import ListPage, RowRefused, StoreUnavailable

UNKNOWN_USER = "u_nobody"
# After every email with the same beginning.
AFTER_ALL = "\U0010ffff"
TRIES_MAX = 5
ABSENT = "attribute_not_exists(user_id)"
# Accounts from before there were versions have the first one.
SAME_VERSION = "attribute_exists(email) AND (attribute_not_exists(#version) OR #version = :seen_version)"
# The same password, not disabled, and no logins ended since. `token_generation` exists from its first rise on.
AS_SEEN = (
    "attribute_exists(email) AND password_hash = :hash AND #disabled = :no"
    " AND (attribute_not_exists(token_generation) OR token_generation = :generation)"
)


class DynamoUsers:
    """The port `Users` over the table `users`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "users"
        self._by_email = OrderedIndex(
            table=self._table, name="by_email", hash_key="list_key", range_key="email_key", descending=False
        )

    def add(self, user: User) -> None:
        place = account_keys(user.email, user.role, disabled=user.disabled)
        account = {**vars(user), "families": {}, "changes": [], **place}
        rows = [account, {"user_id": _email_key(user.email), "owner_id": user.user_id}]
        try:
            transact(*({"Put": parameters(self._table, item=row, condition=ABSENT)} for row in rows))
        except TransactionRefused as refusal:
            if "ConditionalCheckFailed" not in refusal.codes:
                raise StoreUnavailable(str(refusal)) from None
            raise EmailTaken(f"There is an account with the email {user.email} already.") from None

    def get(self, user_id: str) -> User | None:
        row = get_item(self._table, {"user_id": user_id})
        return _user(row) if row and "email" in row else None

    def by_email(self, email: str) -> User | None:
        row = get_item(self._table, {"user_id": _email_key(email)})
        # An unknown email also costs a read, so that its response does not come sooner.
        return self.get(row["owner_id"] if row else UNKNOWN_USER)

    def list(self, wanted: UserFilter, *, limit: int, cursor: str | None) -> ListPage[ListedUser]:
        """Merge the partitions of the index `by_email`. Those of enabled viewers follow each other."""
        begins = email_key(wanted.begins)
        # A key must not be empty. No email begins with a space.
        between = max(begins or " ", place_of(cursor, EMAIL) or ""), begins + AFTER_ALL
        rows = self._by_email.merged(
            (self._first(each, between, limit + 1) for each in _lists(wanted, begins)), limit + 1
        )
        return cut(rows, limit, self._by_email.range_key, _listed)

    def _first(self, partitions: Sequence[str], between: tuple[str, str], limit: int) -> Sequence[IndexRow]:
        """Return the first rows of partitions that follow each other."""
        rows: Sequence[IndexRow] = []
        for partition in partitions:
            if len(rows) < limit:
                rows = [*rows, *self._by_email.read(partition, between, limit - len(rows))]
        return rows

    def change(
        self,
        user_id: str,
        *,
        password_hash: str | None = None,
        role: str | None = None,
        disabled: bool | None = None,
        version: int | None = None,
    ) -> User:
        for _ in range(TRIES_MAX):
            seen = self._known(user_id)
            if version is not None and seen.version != version:
                raise RowRefused
            new = edited(seen, password_hash=password_hash, role=role, disabled=disabled)
            try:
                self._edit(seen, new, SAME_VERSION, ends_logins=bool(disabled or password_hash))
            except ConditionFailed:
                continue
            return self._known(user_id)
        raise Busy("The account was changed at every try. Nothing was changed. Try again.")

    def replace_password(self, seen: User, password_hash: str) -> None:
        new = edited(seen, password_hash=password_hash)
        try:
            self._edit(seen, new, f"{SAME_VERSION} AND {AS_SEEN}", ends_logins=True, seen=seen)
        except ConditionFailed:
            raise RowRefused from None

    def end_logins(self, user_id: str) -> None:
        try:
            self._set(user_id, {}, "attribute_exists(email)", ends_logins=True)
        except ConditionFailed:
            raise UserNotFound(f"There is no user {user_id}.") from None

    def erase(self, seen: User, now_ms: int) -> None:
        """Write both rows in one transaction, so that neither email nor account is left alone."""
        account = parameters(
            self._table,
            item={"user_id": seen.user_id, "erased_at_ms": now_ms},
            condition="#disabled = :yes AND token_generation = :generation",
            names={"#disabled": "disabled"},
            values={":yes": True, ":generation": seen.token_generation},
        )
        email = parameters(self._table, key={"user_id": _email_key(seen.email)})
        try:
            transact({"Put": account}, {"Delete": email})
        except TransactionRefused as refusal:
            if "ConditionalCheckFailed" not in refusal.codes:
                raise StoreUnavailable(str(refusal)) from None
            raise RowRefused from None

    def erased_at_ms(self, user_id: str) -> int | None:
        row = get_item(self._table, {"user_id": user_id})
        return row.get("erased_at_ms") if row else None

    def add_family(self, seen: User, family: RefreshFamily, drop: Sequence[str]) -> None:
        """Write this family only: a concurrent login, refresh or logout must not be undone."""
        names = {"#f": family.family_id, **{f"#d{i}": family_id for i, family_id in enumerate(drop)}}
        update = "SET families.#f = :family"
        if drop:
            update += " REMOVE " + ", ".join(f"families.#d{i}" for i in range(len(drop)))
        values = {":family": vars(family), **_seen_values(seen)}
        try:
            self._update(seen.user_id, update, AS_SEEN, {**names, "#disabled": "disabled"}, values)
        except ConditionFailed:
            raise RowRefused from None

    def rotate_family(self, user_id: str, seen: RefreshFamily, new: RefreshFamily) -> None:
        try:
            self._update(
                user_id,
                "SET families.#f = :new",
                "families.#f.current_jti = :seen AND families.#f.rotated_at_ms = :at",
                {"#f": seen.family_id},
                {":new": vars(new), ":seen": seen.current_jti, ":at": seen.rotated_at_ms},
            )
        except ConditionFailed:
            raise RowRefused from None

    def drop_family(self, user_id: str, family_id: str) -> None:
        try:
            self._update(user_id, "REMOVE families.#f", "attribute_exists(families.#f)", {"#f": family_id}, {})
        except ConditionFailed:
            return

    def _known(self, user_id: str) -> User:
        user = self.get(user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user

    def _edit(self, before: User, new: User, condition: str, *, ends_logins: bool, seen: User | None = None) -> None:
        """Write what an operator or the user edits, with its place in the list, guarded by the version."""
        fields = ("password_hash", "role", "disabled")
        given = {name: getattr(new, name) for name in fields if getattr(new, name) != getattr(before, name)}
        given |= {"version": new.version, "changes": [vars(each) for each in new.changes]}
        given |= account_keys(new.email, new.role, disabled=new.disabled)
        version = {":seen_version": before.version}
        self._set(before.user_id, given, condition, ends_logins=ends_logins, seen=seen, more=version)

    def _set(
        self,
        user_id: str,
        given: dict[str, Any],
        condition: str,
        *,
        ends_logins: bool,
        seen: User | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        values: dict[str, Any] = {f":{name}": value for name, value in given.items()} | (more or {})
        names = {f"#{name}": name for name in (*given, *(["disabled"] if seen else []))}
        update = "SET " + ", ".join([f"#{name} = :{name}" for name in given] + ["families = :none"] * ends_logins)
        if ends_logins:
            update += " ADD token_generation :one"
            values |= {":none": {}, ":one": 1}
        if seen:
            values |= _seen_values(seen)
        self._update(user_id, update, condition, names, values)

    def _update(self, user_id: str, update: str, condition: str, names: dict[str, str], values: dict[str, Any]) -> None:
        key = {"user_id": user_id}
        call("update_item", self._table, key=key, update=update, condition=condition, names=names, values=values)


def _seen_values(seen: User) -> dict[str, Any]:
    """Return the values that the condition `AS_SEEN` compares with."""
    return {":hash": seen.password_hash, ":no": False, ":generation": seen.token_generation}


def _lists(wanted: UserFilter, begins: str) -> Iterator[Sequence[str]]:
    """Yield the partitions of each role, enabled and disabled, that is listed, in the order of their emails."""
    for role in Role:
        for disabled in (False, True):
            if wanted.role not in (None, role) or wanted.disabled not in (None, disabled):
                continue
            name = account_list(role, disabled=disabled)
            if role is not Role.VIEWER or disabled:
                yield [name]
                continue
            first_chars = [email_partition(begins)] if begins else EMAIL_PARTITIONS
            yield [f"{name}.{each}" for each in first_chars]


def _listed(row: dict[str, Any]) -> ListedUser:
    return ListedUser(**{**known(ListedUser, row), "role": Role(row["role"])})


def _email_key(email: str) -> str:
    return "email:" + email.lower()


def _user(row: dict[str, Any]) -> User:
    families = {key: RefreshFamily(**{"previous_jti": None, **values}) for key, values in row["families"].items()}
    changes = tuple(Change(**change) for change in row.get("changes", ()))
    return User(**{**known(User, row), "role": Role(row["role"]), "families": families, "changes": changes})
