"""Logging in and staying so: access tokens of minutes, refresh tokens that rotate in families."""

from dataclasses import dataclass, replace

from chalicelib.domain.access.tokens import (
    ACCESS_TTL_MS,
    REFRESH_REUSE_GRACE_MS,
    REFRESH_TTL_MS,
    AccessClaims,
    RefreshClaims,
)
from chalicelib.domain.accounts.users import RefreshFamily, Role, User
from chalicelib.domain.errors import Forbidden, InvalidCredentials, Unauthenticated, WrongPassword
from chalicelib.domain.ids import new_token_id
from chalicelib.ports import Clock, Counters, PasswordHasher, RowRefused, Tokens, Users
from chalicelib.services.access.limiter import Limiter

# A user's logins at a time; the longest unused is dropped for a new one.
FAMILIES_MAX = 10
ROTATE_TRIES_MAX = 3
ENDED = "This login was ended; log in again."
WRONG = "Email or password is wrong, or the account is disabled."


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a login or a refresh gives."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    user: User


class Auth:
    """Passwords and tokens of people. Play tokens are issued by `Access`."""

    def __init__(
        self,
        *,
        users: Users,
        passwords: PasswordHasher,
        tokens: Tokens,
        limiter: Limiter,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._tokens = tokens
        self._limiter = limiter
        self._counters = counters
        self._clock = clock

    def authenticate(self, access_token: str | None) -> AccessClaims:
        """Who is calling; raises `Unauthenticated` or `TokenExpired`."""
        if not access_token:
            raise Unauthenticated("This wants the header `Authorization: Bearer <access token>`; log in to get one.")
        return self._tokens.access(access_token, self._clock.now_ms())

    def check_account(self, caller: AccessClaims, role: Role) -> None:
        """Hold a token against its account, which may have been disabled, demoted or logged out since it was issued.

        Raises `Forbidden`, and `Unauthenticated` where another login would help.
        """
        user = self._users.get(caller.user_id) if caller.role is Role.ADMIN or role is Role.VIEWER else None
        if role is Role.ADMIN and (user is None or user.role is not Role.ADMIN):
            raise Forbidden("This is for operators.")
        if user is None or user.disabled:
            raise Forbidden("This account is disabled.")
        if user.token_generation != caller.generation:
            raise Unauthenticated(ENDED)

    def login(self, email: str, password: str, *, ip: str) -> Login:
        """Check a password and open a refresh family.

        Raises `InvalidCredentials`, always after the same time, and `TooManyRequests` after too many of those.
        """
        with self._limiter.password_try(email, ip):
            user = self._users.by_email(email)
            fits = self._passwords.verify(user.password_hash if user else None, password)
            if user is None or not fits or user.disabled:
                self._counters.add("login_failures")
                raise InvalidCredentials(WRONG)
        return self.open(user)

    def prove(self, user: User, password: str, *, ip: str) -> None:
        """Check the password of who is logged in; raises `WrongPassword`, or `TooManyRequests` as at a login."""
        with self._limiter.password_try(user.email, ip):
            if not self._passwords.verify(user.password_hash, password):
                self._counters.add("login_failures")
                raise WrongPassword("The current password is wrong; nothing was changed.")

    def open(self, user: User) -> Login:
        """A new login of an account as it was seen; raises `InvalidCredentials` if its logins were ended since."""
        now_ms = self._clock.now_ms()
        family = RefreshFamily(
            family_id=new_token_id(),
            current_jti=new_token_id(),
            previous_jti=None,
            rotated_at_ms=now_ms,
            expires_at_ms=now_ms + REFRESH_TTL_MS,
        )
        by_use = sorted(user.families.values(), key=lambda each: each.rotated_at_ms, reverse=True)
        drop = [each.family_id for n, each in enumerate(by_use, 2) if n > FAMILIES_MAX or each.expires_at_ms <= now_ms]
        try:
            self._users.add_family(user, family, drop)
        except RowRefused:
            # Disabled, given another password or logged out everywhere while we looked.
            raise InvalidCredentials(WRONG) from None
        return self._issue(user, family, now_ms)

    def refresh(self, refresh_token: str) -> Login:
        """Rotate a family's token.

        A token that was rotated away is answered once more for `REFRESH_REUSE_GRACE_MS` (the answer may have been
        lost); after that its use revokes the family: somebody else has it. Raises `Unauthenticated`, `TokenExpired`.
        """
        now_ms = self._clock.now_ms()
        claims = self._tokens.refresh(refresh_token, now_ms)
        for _ in range(ROTATE_TRIES_MAX):
            user, family = self._family(claims)
            if claims.jti == family.previous_jti and now_ms - family.rotated_at_ms <= REFRESH_REUSE_GRACE_MS:
                return self._issue(user, family, now_ms)
            if claims.jti != family.current_jti:
                self._users.drop_family(user.user_id, family.family_id)
                raise Unauthenticated("This refresh token was used before; the login was revoked. Log in again.")
            rotated = replace(
                family,
                current_jti=new_token_id(),
                previous_jti=family.current_jti,
                rotated_at_ms=now_ms,
                expires_at_ms=now_ms + REFRESH_TTL_MS,
            )
            try:
                self._users.rotate_family(user.user_id, family, rotated)
            except RowRefused:
                continue
            return self._issue(user, rotated, now_ms)
        raise Unauthenticated("The login was used by several at once; log in again.")

    def logout(self, refresh_token: str) -> None:
        """Revoke the family. An expired token still does; logging out twice changes nothing."""
        claims = self._tokens.refresh(refresh_token, 0)
        self._users.drop_family(claims.user_id, claims.family_id)

    def account(self, user_id: str) -> User:
        """The account that a token speaks of, as it is now; raises `Unauthenticated` if it is gone or disabled."""
        user = self._users.get(user_id)
        if user is None or user.disabled:
            raise Unauthenticated(ENDED)
        return user

    def _family(self, claims: RefreshClaims) -> tuple[User, RefreshFamily]:
        user = self.account(claims.user_id)
        family = user.families.get(claims.family_id)
        if family is None:
            raise Unauthenticated(ENDED)
        return user, family

    def _issue(self, user: User, family: RefreshFamily, now_ms: int) -> Login:
        access = AccessClaims(
            user_id=user.user_id,
            role=user.role,
            expires_at_ms=now_ms + ACCESS_TTL_MS,
            generation=user.token_generation,
        )
        refresh = RefreshClaims(
            user_id=user.user_id,
            family_id=family.family_id,
            jti=family.current_jti,
            expires_at_ms=family.expires_at_ms,
        )
        return Login(
            access_token=self._tokens.sign_access(access),
            refresh_token=self._tokens.sign_refresh(refresh),
            expires_in_s=ACCESS_TTL_MS // 1000,
            user=user,
        )
