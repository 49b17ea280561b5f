"""Erasing a person: what tells who they are goes, what was paid and served stays under an id that tells nothing.

Ledger, wallet, payments, sessions, usage and reconciliation know a person by `user_id` alone, a random id. So nothing
of them is touched, and every sum and every chain stays as it was. What is deleted is the account with its email (which
may be registered anew afterwards, as somebody else), and every address and user agent.
"""

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, UserNotFound
from chalicelib.ports import Clients, Clock, RowRefused, Users
from chalicelib.services.money.billing import Billing

# One call forgets so many addresses at most; a person with more takes further calls.
FORGET_AT_ONCE, ROUNDS_MAX = 100, 50


class Erasure:
    """Each step may be done again, and the account goes last: whatever ends a call in between, the next one goes on."""

    def __init__(self, *, users: Users, billing: Billing, clients: Clients, clock: Clock) -> None:
        self._users = users
        self._billing = billing
        self._clients = clients
        self._clock = clock

    def erase(self, user_id: str) -> int:
        """Erase a person, and answer when that was done; erasing them again answers the same.

        Raises `UserNotFound`, and `Busy` where another call has to go on with it.
        """
        if self._users.get(user_id) is None:
            erased_at_ms = self._users.erased_at_ms(user_id)
            if erased_at_ms is None:
                raise UserNotFound(f"There is no user {user_id}.")
            # What was under way when the account went.
            self._forget(user_id)
            return erased_at_ms
        # From here on nobody logs in, refreshes or starts, and a start that is under way takes itself back.
        disabled = self._users.change(user_id, disabled=True)
        self._billing.end_all(user_id, EndReason.KICKED)
        self._forget(user_id)
        now_ms = self._clock.now_ms()
        try:
            self._users.erase(disabled, now_ms)
        except RowRefused:
            raise Busy("Somebody else has changed the account meanwhile. Erase it again.") from None
        return now_ms

    def _forget(self, user_id: str) -> None:
        for _ in range(ROUNDS_MAX):
            if self._clients.delete_of_user(user_id, FORGET_AT_ONCE) == 0:
                return
        raise Busy("Not all addresses of the account are forgotten yet. Erase it again, and it goes on from there.")
