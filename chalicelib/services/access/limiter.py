"""Rate limits of logins and starts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from chalicelib.domain.access.limits import Allowances, Limit, login_address_key, login_key, start_key
from chalicelib.domain.errors import InvalidCredentials, TooManyRequests, WrongPassword
from chalicelib.ports.access.limits import Limits
from chalicelib.ports.common import Clock, StoreUnavailable


class Limiter:
    """Takes tokens before the work begins, so that parallel attempts do not get around the limit."""

    def __init__(self, *, limits: Limits, allowances: Allowances, clock: Clock) -> None:
        self._limits = limits
        self._allowances = allowances
        self._clock = clock

    @contextmanager
    def password_try(self, email: str, ip: str) -> Iterator[None]:
        """Guard a password check: a wrong password costs a token of account and address, anything else none.

        Raise `TooManyRequests` before the check. Accounts that do not exist have buckets too.
        """
        allowed = self._allowances
        taken: list[tuple[str, Limit]] = []
        for key, limit in ((login_key(email, ip), allowed.login), (login_address_key(ip), allowed.login_address)):
            wait_ms = self._limits.take(key, limit, self._clock.now_ms())
            if wait_ms:
                self._give_back(taken)
                raise TooManyRequests("Too many failed logins.", wait_ms)
            taken.append((key, limit))
        failed = False
        try:
            yield
        except (InvalidCredentials, WrongPassword):
            failed = True
            raise
        finally:
            if not failed:
                self._give_back(taken)

    def start(self, user_id: str) -> None:
        """Count a start. Raise `TooManyRequests`."""
        wait_ms = self._limits.take(start_key(user_id), self._allowances.start, self._clock.now_ms())
        if wait_ms:
            raise TooManyRequests("Too many starts.", wait_ms)

    def _give_back(self, taken: list[tuple[str, Limit]]) -> None:
        for key, limit in taken:
            # Tokens return with time, so this must not fail a valid login.
            with suppress(StoreUnavailable):
                self._limits.give_back(key, limit)
