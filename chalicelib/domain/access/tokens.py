"""The three kinds of token. Each has its own key, `typ` and `aud`, so that none is ever accepted as another."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.money.lease import GRACE_MS


class TokenKind(StrEnum):
    """What a token is for; also the name of its key set."""

    ACCESS = "access"
    REFRESH = "refresh"
    PLAY = "play"


ACCESS_TTL_MS = 15 * 60_000
REFRESH_TTL_MS = 30 * 24 * 3_600_000
PLAY_TTL_MS_MAX = 90_000
# A lost answer to a refresh may be asked for again for this long without being taken for theft.
REFRESH_REUSE_GRACE_MS = 10_000


@dataclass(frozen=True, kw_only=True)
class AccessClaims:
    """Who is calling the API."""

    user_id: str
    role: Role
    expires_at_ms: int
    # The account's `token_generation` when it was issued.
    generation: int = 0


@dataclass(frozen=True, kw_only=True)
class RefreshClaims:
    """Which login asks for a new access token."""

    user_id: str
    family_id: str
    jti: str
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class PlayClaims:
    """Which session may fetch which stream's media."""

    user_id: str
    session_id: str
    stream_id: str
    expires_at_ms: int


def play_expiry_ms(paid_until_ms: int, now_ms: int) -> int:
    """A play token never outlives its lease by more than the grace, nor 90 s."""
    return min(paid_until_ms + GRACE_MS, now_ms + PLAY_TTL_MS_MAX)
