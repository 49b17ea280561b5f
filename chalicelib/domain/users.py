"""Accounts and the families of refresh tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
    """An account."""

    user_id: str
    email: str
    password_hash: str
    role: Role
    disabled: bool = False
    created_at_ms: int = 0
    families: Mapping[str, RefreshFamily] = field(default_factory=dict)
