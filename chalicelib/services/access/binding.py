"""Binding of sessions to the first client that fetches their media, if their stream's policy says so."""

import logging

from chalicelib.domain.access.clients import Client, differing, media_key
from chalicelib.domain.errors import BoundElsewhere
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.streams.stream import SessionBinding
from chalicelib.ports.access.clients import Clients
from chalicelib.ports.common import Clock, StoreUnavailable

ELSEWHERE = (
    "This session plays at another address or in another program. To continue here, stop it, which refunds the rest of"
    " its lease, and start a new one (`replace` ends an old one for that)."
)
UNSEEN = "This stream binds sessions to one client, and this gateway does not know the client. Ask the operator."

SESSIONS_REPORTED_MAX = 10_000

log = logging.getLogger("binding")


class Binding:
    """Compares the client of a media request with the session's first client."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        # Sessions that this process need not mark again.
        self._reported: set[str] = set()

    def check(self, policy: SessionBinding, user_id: str, session: ActiveSession, client: Client | None) -> None:
        """Raise `BoundElsewhere` for another client than the first, if the policy is to enforce.

        Under other policies a failing store does not block the viewer.
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
        if words and key not in self._reported:
            if len(self._reported) >= SESSIONS_REPORTED_MAX:
                self._reported.clear()
            # One line for each session over all processes, without addresses, since logs may be kept longer.
            if self._clients.mark_elsewhere(key):
                parts = (session.session_id, user_id, session.stream_id, " and ".join(words), policy.value)
                log.warning("session %s of %s on %s is requested from another %s; the policy is %s", *parts)
            self._reported.add(key)
        return bool(words)
