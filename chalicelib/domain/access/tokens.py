"""The three kinds of token. Each has its own key, `typ` and `aud`, so none is accepted as another."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.money.lease import GRACE_MS


class TokenKind(StrEnum):
    """The purpose of a token; also the name of its key set."""

    ACCESS = "access"
    REFRESH = "refresh"
    PLAY = "play"


ACCESS_TTL_MS = 15 * 60_000
REFRESH_TTL_MS = 30 * 24 * 3_600_000
PLAY_TTL_MS_MAX = 90_000
# A refresh whose response was lost may be repeated for this long. Later, reuse counts as theft.
REFRESH_REUSE_GRACE_MS = 10_000


@dataclass(frozen=True, kw_only=True)
class AccessClaims:
    """The caller of the API."""

    user_id: str
    role: Role
    expires_at_ms: int
    # The account's `token_generation` when it was issued.
    generation: int = 0


@dataclass(frozen=True, kw_only=True)
class RefreshClaims:
    """The login that requests a new access token."""

    user_id: str
    family_id: str
    jti: str
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class PlayClaims:
    """A session and the stream whose media it may fetch."""

    user_id: str
    session_id: str
    stream_id: str
    expires_at_ms: int


def play_expiry_ms(paid_until_ms: int, now_ms: int) -> int:
    """Return when a play token expires: at most the grace after its lease, and at most 90 s from now."""
    return min(paid_until_ms + GRACE_MS, now_ms + PLAY_TTL_MS_MAX)
