"""Kicks: an operator ends a session of any viewer, with a message."""

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import SessionNotFound
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.operations.audit import Action, Actor, kick_action
from chalicelib.ports.money import PlaybackSessions
from chalicelib.services.money.billing import Billing
from chalicelib.services.operations.audit import Audit


class Kicks:
    """Ends sessions for operators."""

    def __init__(self, *, billing: Billing, sessions: PlaybackSessions, audit: Audit) -> None:
        self._billing = billing
        self._sessions = sessions
        self._audit = audit

    def kick(
        self, session_id: str, *, reason: str = "", message: str | None = None, by: Actor | None = None
    ) -> SessionRecord:
        """End any session. When this returns, a gateway with a denylist serves nothing to it.

        The viewer gets `message`; a session that had ended before keeps its end and gets none. Raise `SessionNotFound`
        or `Busy`.
        """
        record = self._sessions.get(session_id)
        if record is None:
            raise SessionNotFound(f"There is no session {session_id}.")

        def look() -> Action | None:
            found = self._sessions.get(session_id)
            return kick_action(found, reason) if found and found.end_reason is EndReason.KICKED else None

        with self._audit.also_unfinished(by, look):
            record = self._billing.end(record.user_id, session_id, EndReason.KICKED, message=message)
        self._audit.record(by, kick_action(record, reason))
        return record
