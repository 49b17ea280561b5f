"""An account on one server: authorized requests, with access tokens refreshed before they expire."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from player.auth.tokens import Login, TokenStore
from player.errors import LoginExpiredError, NotLoggedInError, UnreachableError
from player.http.client import Http, ProblemError

REFRESH_EARLY_S = 30.0
REFRESH_ATTEMPTS = 3
HEALTH_TIMEOUT_S = 5.0
TOKEN_PROBLEMS = ("token_expired", "token_invalid")
Answer = TypeVar("Answer")


class Account:
    """Requests as the logged-in user to `server`. Safe to use from several threads and processes."""

    def __init__(self, http: Http, store: TokenStore) -> None:
        self.server = http.server
        self._http = http
        self._store = store
        self._lock = threading.Lock()
        self._login: Login | None = None

    def health(self) -> dict[str, Any]:
        """Return the server's health. Raise UnreachableError, ProblemError."""
        return self._http.request("GET", "/healthz", timeout_s=HEALTH_TIMEOUT_S)

    def login(self, email: str, password: str) -> tuple[Login, str]:
        """Log in, store the tokens, and return the login and where it is stored. Raise ProblemError when refused."""
        response = self._http.request("POST", "/auth/login", {"email": email, "password": password})
        login = Login.from_response(self.server, response)
        with self._store.locked(login.server):
            place = self._store.save(login)
        self._store.remember_server(login.server)
        return login, place

    def logout(self) -> bool:
        """Revoke the tokens at the server, then delete them here. Return False when none were stored.

        Raise UnreachableError when they could only be deleted.
        """
        with self._store.locked(self.server):
            login = self._store.load(self.server)
            if login is None:
                return False
            try:
                self._http.request("POST", "/auth/logout", {"refresh_token": login.refresh_token})
            except ProblemError as problem:
                if problem.code not in TOKEN_PROBLEMS:
                    raise
            finally:
                self._store.delete(self.server)
        return True

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        timeout_s: float | None = None,
        if_match: str | None = None,
    ) -> dict[str, Any]:
        """Return the server's answer to an authorized request. `if_match` is the header of this name.

        Raise NotLoggedInError, ProblemError, UnreachableError, BadVariableError, KeyringUnavailableError.
        """
        return self._authorized(lambda token: self._http.request(method, path, body, token, timeout_s, if_match))

    def csv(self, path: str, timeout_s: float) -> str:
        """Return the server's CSV answer to an authorized GET. Raises the errors of `call`."""
        return self._authorized(lambda token: self._http.csv(path, token, timeout_s))

    def _authorized(self, send: Callable[[str], Answer]) -> Answer:
        """Send a request, and retry it once with a fresh access token if the server rejects the token."""
        self._http.prepare()  # first, because a bad environment variable also explains a missing login
        token = self._access_token(stale="")
        try:
            return send(token)
        except ProblemError as problem:
            if problem.status != 401 or problem.code not in TOKEN_PROBLEMS or problem.end_reason:
                raise
        return send(self._access_token(stale=token))

    def _access_token(self, stale: str) -> str:
        """Return an access token that is not `stale` and not about to expire."""
        with self._lock:
            if self._login is None:
                self._login = self._store.load(self.server)
            if self._login is None:
                raise NotLoggedInError(f"Not logged in at {self.server}.", self._store.program)
            if not _usable(self._login, stale):
                self._login = self._refreshed(stale)
            return self._login.access_token

    def _refreshed(self, stale: str) -> Login:
        with self._store.locked(self.server):
            stored = self._store.load(self.server)
            if stored is None:
                raise NotLoggedInError("You have been logged out.", self._store.program)
            if _usable(stored, stale):
                return stored  # another process refreshed it
            login = Login.from_response(stored.server, self._rotate(stored.refresh_token))
            self._store.save(login)
            return login

    def _rotate(self, refresh_token: str) -> dict[str, Any]:
        """Request new tokens. After a lost response, retry at once: the server accepts the old token for 10 s more."""
        for attempt in range(1, REFRESH_ATTEMPTS + 1):
            try:
                return self._http.request("POST", "/auth/refresh", {"refresh_token": refresh_token}, timeout_s=3.0)
            except UnreachableError:
                if attempt == REFRESH_ATTEMPTS:
                    raise
                time.sleep(0.2 * attempt)
            except ProblemError as problem:
                if problem.status == 401:
                    raise LoginExpiredError(self._store.program) from None
                raise
        raise AssertionError("the last attempt returns or raises")


def _usable(login: Login, stale: str) -> bool:
    return login.access_token != stale and time.time() < login.expires_at - REFRESH_EARLY_S
