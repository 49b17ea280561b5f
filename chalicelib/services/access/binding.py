"""Sessions are bound to the first client that fetches their media, where their stream's policy says so."""

import logging

from chalicelib.domain.access.clients import Client, differing, media_key
from chalicelib.domain.errors import BoundElsewhere
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.streams.stream import SessionBinding
from chalicelib.ports import Clients, Clock, StoreUnavailable

ELSEWHERE = (
    "This session is watched from another address or with another program. Whoever has moved goes on with a new one:"
    " stop this session, which gives back the rest of its lease, and start again (`replace` ends an old one for that)."
)
UNSEEN = "This stream's sessions are bound to who watches them, and this gateway does not see who asks."

SESSIONS_TOLD_MAX = 10_000

log = logging.getLogger("binding")


class Binding:
    """Holds who asks for a session's media against who asked first."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        # Of which this process need not ask the store again.
        self._told: set[str] = set()

    def check(self, policy: SessionBinding, user_id: str, session: ActiveSession, client: Client | None) -> None:
        """Raises `BoundElsewhere` for another client than the first, where the policy is to enforce that.

        Only then an answer that the store owes keeps anybody from watching.
        """
        if policy is SessionBinding.OFF:
            return
        if client is None:
            if policy is SessionBinding.ENFORCE:
                raise BoundElsewhere(UNSEEN)
            return
        try:
            elsewhere = self._is_elsewhere(policy, user_id, session, client)
        except StoreUnavailable:
            if policy is SessionBinding.ENFORCE:
                raise
            return
        if elsewhere and policy is SessionBinding.ENFORCE:
            raise BoundElsewhere(ELSEWHERE)

    def _is_elsewhere(self, policy: SessionBinding, user_id: str, session: ActiveSession, client: Client) -> bool:
        key, bound = media_key(session.session_id), client.bound
        first = self._clients.bind(key, user_id, bound, self._clock.now_ms())
        words = differing(first, bound)
        if words and key not in self._told:
            if len(self._told) >= SESSIONS_TOLD_MAX:
                self._told.clear()
            # One line a session, of whatever process. Without addresses: logs may be kept for longer than those.
            if self._clients.mark_elsewhere(key):
                parts = (session.session_id, user_id, session.stream_id, " and ".join(words), policy.value)
                log.warning("session %s of %s on %s is asked for from another %s; the policy is %s", *parts)
            self._told.add(key)
        return bool(words)
