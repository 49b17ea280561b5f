"""Erasure of a person: what identifies them is deleted; what was paid and served stays under an anonymous id.

Ledger, wallet, payments, sessions, usage and reconciliation contain only `user_id`, a random id, and stay unchanged
with all sums and chains; a debt is written off. Deleted are the account with its email (which may register again as a
new account), and every address and user agent.
"""

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, UserNotFound
from chalicelib.domain.operations.audit import Action, Actor, difference, user_values
from chalicelib.ports.access.clients import Clients
from chalicelib.ports.accounts.identity import Users
from chalicelib.ports.common import Clock, RowRefused
from chalicelib.ports.money.money import Wallets
from chalicelib.services.money.billing import Billing
from chalicelib.services.operations.audit import Audit

# Bounds of one call. A person with more addresses needs further calls.
FORGET_AT_ONCE, ROUNDS_MAX = 100, 50


class Erasure:
    """Each step is idempotent and the account is deleted last, so a repeated call continues where one failed."""

    def __init__(
        self, *, users: Users, wallets: Wallets, billing: Billing, clients: Clients, audit: Audit, clock: Clock
    ) -> None:
        self._users = users
        self._wallets = wallets
        self._billing = billing
        self._clients = clients
        self._audit = audit
        self._clock = clock

    def erase(self, user_id: str, *, by: Actor | None = None) -> int:
        """Erase a person and return when that was done. Erasing again returns the same.

        Raise `UserNotFound`, or `Busy` if another call has to continue.
        """
        seen = self._users.get(user_id)

        def look() -> Action | None:
            user = self._users.get(user_id)
            if seen is None or user is None or seen.disabled or not user.disabled:
                return None
            before, after = difference(user_values(seen), user_values(user))
            return Action(name="user.erase", target=user_id, user_id=user_id, before=before, after=after)

        with self._audit.also_unfinished(by, look):
            erased_at_ms = self._erase(user_id) if seen else self._finish(user_id)
        # Nothing that identifies the person.
        after = {"erased_at_ms": erased_at_ms}
        self._audit.record(by, Action(name="user.erase", target=user_id, user_id=user_id, after=after))
        return erased_at_ms

    def _finish(self, user_id: str) -> int:
        """Delete what a start in progress stored while the account was deleted. Return when that was."""
        erased_at_ms = self._users.erased_at_ms(user_id)
        if erased_at_ms is None:
            raise UserNotFound(f"There is no user {user_id}.")
        self._forget(user_id)
        return erased_at_ms

    def _erase(self, user_id: str) -> int:
        # From here on no login, refresh or start succeeds, and a start in progress takes itself back.
        disabled = self._users.change(user_id, disabled=True)
        self._billing.end_all(user_id, EndReason.KICKED)
        self._wallets.waive_debt(user_id)
        self._forget(user_id)
        now_ms = self._clock.now_ms()
        try:
            self._users.erase(disabled, now_ms)
        except RowRefused:
            raise Busy("The account was changed meanwhile. Erase it again.") from None
        return now_ms

    def _forget(self, user_id: str) -> None:
        for _ in range(ROUNDS_MAX):
            if self._clients.delete_of_user(user_id, FORGET_AT_ONCE) == 0:
                return
        raise Busy("Not all addresses of the account are deleted yet. Erase it again to continue.")
