"""The three kinds of token as JWTs: HS256, with a key set, a `typ` and an `aud` for each kind.

All keys of a set are accepted; the current one signs. For their format and rotation see `domain/access/key_sets.py`.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chalicelib.domain.access.key_sets import REREAD_MS_MIN, KeySets
from chalicelib.domain.access.tokens import AccessClaims, PlayClaims, RefreshClaims, TokenKind
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.errors import TokenExpired, Unauthenticated
from chalicelib.ports.common import StoreUnavailable

ALGORITHM = "HS256"
TYP = {TokenKind.ACCESS: "at+jwt", TokenKind.REFRESH: "refresh+jwt", TokenKind.PLAY: "play+jwt"}
AUD = {TokenKind.ACCESS: "tollcast-api", TokenKind.REFRESH: "tollcast-auth", TokenKind.PLAY: "tollcast-media"}
# The claims of each kind beside its expiry, and the fields that they are.
FIELDS = {
    TokenKind.ACCESS: {"sub": "user_id", "role": "role", "gen": "generation"},
    TokenKind.REFRESH: {"sub": "user_id", "fam": "family_id", "jti": "jti"},
    TokenKind.PLAY: {"sub": "user_id", "sid": "session_id", "stream": "stream_id"},
}
TOKEN_CHARS_MAX = 2048
REREAD_S_MIN = REREAD_MS_MIN / 1000
REREAD_S_MAX = 600.0


class JwtTokens:
    """The port `Tokens`.

    The keys are read at the first token, again for an unknown key id, and otherwise at intervals, so that long-lived
    processes sign with the current key. If a later read fails, the known keys stay in use.
    """

    def __init__(self, read_keys: Callable[[], KeySets], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read_keys = read_keys
        self._monotonic = monotonic
        self._known: KeySets | None = None
        self._read_at_s = 0.0
        self._failed = False

    @property
    def _key_sets(self) -> KeySets:
        if self._known is None:
            self._read_at_s = self._monotonic()
            self._known = self._read()
        elif self._monotonic() - self._read_at_s >= REREAD_S_MAX:
            with suppress(StoreUnavailable, ValueError):
                self._read_again()
        return self._known

    def _read(self) -> KeySets:
        """Return the stored keys. Raise `ValueError` for a damaged one, so that the known keys stay in use."""
        sets = self._read_keys()
        for key in (key for each in sets.values() for key in each.keys.values()):
            base64.b64decode(key)
        return sets

    def _read_again(self) -> None:
        # Set before the read, so that a failing store is not asked at every token.
        self._read_at_s, self._failed = self._monotonic(), True
        self._known = self._read()
        self._failed = False

    def _key(self, kind: TokenKind, kid: str) -> bytes | None:
        key = self._key_sets[kind].keys.get(kid)
        # Keys rotate while processes run, but forged tokens must not cause a read each.
        if key is None and self._monotonic() - self._read_at_s >= REREAD_S_MIN:
            self._read_again()
            key = self._key_sets[kind].keys.get(kid)
        if key is None and self._failed:
            raise StoreUnavailable("the token keys could not be reread, and the key of this token is unknown")
        return base64.b64decode(key) if key else None

    def sign_access(self, claims: AccessClaims) -> str:
        return self._sign(TokenKind.ACCESS, claims)

    def sign_refresh(self, claims: RefreshClaims) -> str:
        return self._sign(TokenKind.REFRESH, claims)

    def sign_play(self, claims: PlayClaims) -> str:
        return self._sign(TokenKind.PLAY, claims)

    def access(self, token: str, now_ms: int) -> AccessClaims:
        claims = self._check(TokenKind.ACCESS, token, now_ms)
        return AccessClaims(**{**claims, "role": Role(claims["role"])})

    def refresh(self, token: str, now_ms: int) -> RefreshClaims:
        return RefreshClaims(**self._check(TokenKind.REFRESH, token, now_ms))

    def play(self, token: str) -> PlayClaims:
        return PlayClaims(**self._check(TokenKind.PLAY, token, 0))

    def _sign(self, kind: TokenKind, claims: AccessClaims | RefreshClaims | PlayClaims) -> str:
        import jwt

        key_set, expires_at_ms = self._key_sets[kind], claims.expires_at_ms
        values = {short: getattr(claims, name) for short, name in FIELDS[kind].items()}
        return jwt.encode(
            # `exp` is whole seconds by its standard; `exp_ms` is exact.
            {**values, "aud": AUD[kind], "exp": -(-expires_at_ms // 1000), "exp_ms": expires_at_ms},
            base64.b64decode(key_set.keys[key_set.current]),
            algorithm=ALGORITHM,
            headers={"kid": key_set.current, "typ": TYP[kind]},
        )

    def _check(self, kind: TokenKind, token: str, now_ms: int) -> dict[str, Any]:
        """Return the fields of the claims of a valid token that has not expired by `now_ms`."""
        import jwt

        try:
            if len(token) > TOKEN_CHARS_MAX:
                raise Unauthenticated(f"The token is longer than {TOKEN_CHARS_MAX} characters.")
            header = jwt.get_unverified_header(token)
            key = self._key(kind, str(header.get("kid")))
            if key is None or header.get("typ") != TYP[kind]:
                raise Unauthenticated(f"This is not a valid {kind.value} token.")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUD[kind],
                options={"require": ["aud", "exp", "exp_ms", *FIELDS[kind]], "verify_exp": False},
            )
        except (jwt.PyJWTError, ValueError):
            raise Unauthenticated(f"This is not a valid {kind.value} token.") from None
        if now_ms >= claims["exp_ms"]:
            raise TokenExpired("The token has expired. Refresh it or log in again.")
        return {"expires_at_ms": claims["exp_ms"], **{name: claims[short] for short, name in FIELDS[kind].items()}}
