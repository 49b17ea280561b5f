"""Accounts, roles and refresh token families."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.errors import Invalid

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
    """An account. `token_generation` rises when all its logins end; older access tokens are then rejected."""

    user_id: str
    email: str
    password_hash: str
    role: Role
    disabled: bool = False
    created_at_ms: int = 0
    token_generation: int = 0
    families: Mapping[str, RefreshFamily] = field(default_factory=dict)


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
