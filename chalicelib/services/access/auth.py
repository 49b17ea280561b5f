"""Login, refresh and logout: short-lived access tokens, and refresh tokens that rotate in families."""

from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.domain.access.clients import Client, login_key
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
from chalicelib.ports.access.clients import Clients
from chalicelib.ports.accounts.identity import PasswordHasher, Tokens, Users
from chalicelib.ports.common import Clock, RowRefused, StoreUnavailable
from chalicelib.ports.operations.counters import Counters
from chalicelib.services.access.limiter import Limiter

# Logins of a user at a time. A new one replaces the least recently used.
FAMILIES_MAX = 10
ROTATE_TRIES_MAX = 3
ENDED = "This login was ended. Log in again."
WRONG = "Email or password is wrong, or the account is disabled."


@dataclass(frozen=True, kw_only=True)
class Login:
    """The result of a login or a refresh."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    user: User


class Auth:
    """Users' passwords and tokens. Play tokens are issued by `Access`."""

    def __init__(
        self,
        *,
        users: Users,
        passwords: PasswordHasher,
        tokens: Tokens,
        clients: Clients,
        limiter: Limiter,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._tokens = tokens
        self._clients = clients
        self._limiter = limiter
        self._counters = counters
        self._clock = clock

    def authenticate(self, access_token: str | None) -> AccessClaims:
        """Return the caller. Raise `Unauthenticated` or `TokenExpired`."""
        if not access_token:
            raise Unauthenticated(
                "The access token is missing. Log in, and send `Authorization: Bearer <access token>`."
            )
        return self._tokens.access(access_token, self._clock.now_ms())

    def check_account(self, caller: AccessClaims, roles: frozenset[Role]) -> None:
        """Check a token against its account, which may be disabled or logged out since, or have another role.

        Raise `Forbidden` if it has none of the roles, or `Unauthenticated` if another login would help.
        """
        user = self._users.get(caller.user_id)
        role = user.role if user else caller.role
        if role not in roles:
            allowed = " or ".join(each.value for each in Role if each in roles)
            raise Forbidden(f"Only the role {allowed} may do this. This account has the role {role.value}.")
        if user is None or user.disabled:
            raise Forbidden("This account is disabled.")
        if user.token_generation != caller.generation:
            raise Unauthenticated(ENDED)

    def login(self, email: str, password: str, *, ip: str, user_agent: str = "") -> Login:
        """Check a password and open a refresh family. The client is stored for the timeline of the account.

        Raise `InvalidCredentials`, always after the same time, or `TooManyRequests` after too many failures.
        """
        with self._limiter.password_try(email, ip):
            user = self._users.by_email(email)
            fits = self._passwords.verify(user.password_hash if user else None, password)
            if user is None or not fits or user.disabled:
                self._counters.add("login_failures")
                raise InvalidCredentials(WRONG)
        key = login_key(self._clock.now_ms(), new_token_id())
        # First, so that of an account that is erased meanwhile no client is left.
        with suppress(StoreUnavailable):
            self._clients.put(key, user.user_id, Client(ip=ip, user_agent=user_agent), self._clock.now_ms())
        try:
            return self.open(user)
        except InvalidCredentials:
            self._clients.delete(key)
            raise

    def prove(self, user: User, password: str, *, ip: str) -> None:
        """Check the password of a logged-in user. Raise `WrongPassword`, or `TooManyRequests` as at a login."""
        with self._limiter.password_try(user.email, ip):
            if not self._passwords.verify(user.password_hash, password):
                self._counters.add("login_failures")
                raise WrongPassword("The current password is wrong. Nothing was changed.")

    def open(self, user: User) -> Login:
        """Open a login of the account as read. Raise `InvalidCredentials` if its logins were ended since."""
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
            # The account was disabled, changed or logged out everywhere meanwhile.
            raise InvalidCredentials(WRONG) from None
        return self._issue(user, family, now_ms)

    def refresh(self, refresh_token: str) -> Login:
        """Rotate a family's token.

        The previous token is accepted for `REFRESH_REUSE_GRACE_MS`, since the response may have been lost. Later use of
        it means theft and revokes the family. Raise `Unauthenticated` or `TokenExpired`.
        """
        now_ms = self._clock.now_ms()
        claims = self._tokens.refresh(refresh_token, now_ms)
        for _ in range(ROTATE_TRIES_MAX):
            user, family = self._family(claims)
            if claims.jti == family.previous_jti and now_ms - family.rotated_at_ms <= REFRESH_REUSE_GRACE_MS:
                return self._issue(user, family, now_ms)
            if claims.jti != family.current_jti:
                self._users.drop_family(user.user_id, family.family_id)
                raise Unauthenticated("This refresh token was used before, so the login was revoked. Log in again.")
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
        raise Unauthenticated("Several clients refreshed this login at once. Log in again.")

    def logout(self, refresh_token: str) -> None:
        """Revoke the family, also by an expired token. Logging out twice changes nothing."""
        claims = self._tokens.refresh(refresh_token, 0)
        self._users.drop_family(claims.user_id, claims.family_id)

    def account(self, user_id: str) -> User:
        """Return the current account of a token. Raise `Unauthenticated` if it is missing or disabled."""
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
