"""Accounts and the families of refresh tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.errors import Invalid

PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX = 8, 200


class Role(StrEnum):
    """What an account may do; `admin` may do all that `viewer` may."""

    VIEWER = "viewer"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class RefreshFamily:
    """One login. Each refresh replaces `current_jti`; a use of an older one revokes the family."""

    family_id: str
    current_jti: str
    previous_jti: str | None
    rotated_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. `token_generation` rises when all its logins are ended; older access tokens are then refused."""

    user_id: str
    email: str
    password_hash: str
    role: Role
    disabled: bool = False
    created_at_ms: int = 0
    token_generation: int = 0
    families: Mapping[str, RefreshFamily] = field(default_factory=dict)


def check_new_password(password: str, email: str, *, current: str | None = None, field: str = "password") -> None:
    """Raises `Invalid` for what everybody would try first. The length is the wire model's to check."""
    if password.lower() == email.lower():
        raise _refused(field, "must not be the account's email")
    if password == current:
        raise _refused(field, "must differ from the current one")


def _refused(field: str, detail: str) -> Invalid:
    return Invalid(f"{field}: {detail}", errors=[{"field": field, "detail": detail}])
