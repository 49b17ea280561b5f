"""Accounts, roles and refresh token families."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chalicelib.domain.errors import Invalid
from chalicelib.domain.versions import HIDDEN, Change, Expected, check_version, with_change

# Stricter rules would refuse `demo@local`, which is an address on this machine.
EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}")
EMAIL_WORDS = "is not an email address; allowed: name@example.org, without spaces, at most 64 characters before the @"
PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX = 8, 200


class Role(StrEnum):
    """The role of an account. Every role may watch, as a viewer does.

    `operator` runs streams and sessions, `finance` wallets, payments and reconciliation, `admin` all and the accounts.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    FINANCE = "finance"
    ADMIN = "admin"


# The roles that may use a route.
VIEWERS = frozenset(Role)
STAFF = VIEWERS - {Role.VIEWER}
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
FINANCE = frozenset({Role.FINANCE, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, kw_only=True)
class RefreshFamily:
    """One login. Each refresh replaces `current_jti`; using an older one revokes the family."""

    family_id: str
    current_jti: str
    previous_jti: str | None
    rotated_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. `token_generation` rises when all its logins end; older access tokens are then rejected.

    `version` rises when password, role or `disabled` change, and `changes` has what the last changes replaced.
    """

    user_id: str
    email: str
    password_hash: str
    role: Role
    disabled: bool = False
    created_at_ms: int = 0
    token_generation: int = 0
    families: Mapping[str, RefreshFamily] = field(default_factory=dict)
    version: int = 1
    changes: tuple[Change, ...] = field(default=(), compare=False)


def edited(
    seen: User, *, password_hash: str | None = None, role: str | None = None, disabled: bool | None = None
) -> User:
    """Return the account with the given fields, as its next version if any of them differs."""
    given = {"password_hash": password_hash, "role": role and Role(role), "disabled": disabled}
    changed = {name: value for name, value in given.items() if value is not None and value != getattr(seen, name)}
    if not changed:
        return seen
    before = {name.removesuffix("_hash"): _shown(seen, name.removesuffix("_hash")) for name in changed}
    new: User = replace(seen, **changed)  # type: ignore[arg-type]
    return replace(new, version=seen.version + 1, changes=with_change(seen.changes, seen.version, before))


def check_user_version(user: User, expected: Expected) -> None:
    """Raise `ChangedMeanwhile` unless the account has an expected version."""
    check_version(f"The account {user.user_id}", expected, user.version, user.changes, lambda name: _shown(user, name))


def _shown(user: User, name: str) -> object:
    return HIDDEN if name == "password" else getattr(user, name)


@dataclass(frozen=True, kw_only=True)
class ListedUser:
    """An account in the list of accounts, without its password and logins."""

    user_id: str
    email: str
    role: Role
    disabled: bool
    created_at_ms: int


@dataclass(frozen=True, kw_only=True)
class UserFilter:
    """Which accounts are listed: those whose email begins with `begins` (in any case), of a role, disabled or not."""

    begins: str = ""
    role: Role | None = None
    disabled: bool | None = None

    def fits(self, user: "ListedUser | User") -> bool:
        """Return whether an account is listed."""
        begins = user.email.lower().startswith(self.begins.lower())
        return begins and self.role in (None, user.role) and self.disabled in (None, user.disabled)


def check_credentials(email: str, password: str) -> None:
    """Raise `Invalid` for a text that is not an email address, or a password that is too short or too long."""
    if not EMAIL.fullmatch(email):
        raise Invalid.field("email", EMAIL_WORDS)
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise Invalid.field("password", f"must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")


def check_new_password(password: str, email: str, *, current: str | None = None, field: str = "password") -> None:
    """Raise `Invalid` for a password that is easy to guess. The wire model checks the length."""
    if password.lower() == email.lower():
        raise Invalid.field(field, "must not be the account's email")
    if password == current:
        raise Invalid.field(field, "must differ from the current one")
