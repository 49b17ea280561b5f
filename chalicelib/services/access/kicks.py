"""Kicks: an operator ends a session of any viewer, with a message, and may block further ones."""

from dataclasses import dataclass

from chalicelib.domain.access.blocks import Block
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Forbidden, SessionNotFound
from chalicelib.domain.ids import is_canary
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.operations.audit import Action, Actor, kick_action
from chalicelib.ports.money.money import PlaybackSessions, Wallets
from chalicelib.services.access.blocks import BlocksService
from chalicelib.services.money.billing import Billing
from chalicelib.services.operations.audit import Audit


@dataclass(frozen=True, kw_only=True)
class Kicked:
    """The record of the session that was kicked, and the block of its user, if one was made."""

    record: SessionRecord
    block: Block | None


class Kicks:
    """Ends sessions for operators."""

    def __init__(
        self, *, billing: Billing, wallets: Wallets, sessions: PlaybackSessions, blocks: BlocksService, audit: Audit
    ) -> None:
        self._billing = billing
        self._wallets = wallets
        self._sessions = sessions
        self._blocks = blocks
        self._audit = audit

    def kick(
        self,
        session_id: str,
        *,
        reason: str = "",
        message: str | None = None,
        block_minutes: int | None = None,
        block_stream: bool = False,
        by: Actor | None = None,
    ) -> Kicked:
        """End any session. When this returns, a gateway with a denylist serves nothing to it.

        The viewer gets `message`; a session that had ended before keeps its end and gets none. With `block_minutes`,
        the viewer starts no session for so long, on the stream of this one (`block_stream`) or on any, and all sessions
        end that the block would refuse. Raise `SessionNotFound`, `Busy`, or `Forbidden` for a service key that kicks
        another than a synthetic viewer, or blocks one.
        """
        record = self._sessions.get(session_id)
        if record is None:
            raise SessionNotFound(f"There is no session {session_id}.")
        if by is not None and by.is_key:
            if not is_canary(record.user_id):
                raise Forbidden("A service key may kick sessions of synthetic viewers only.")
            if block_minutes is not None:
                raise Forbidden("A service key may not block. Send the kick without `block_minutes`.")
            # Hundreds a day would hide the acts of people. The canary's runs have a list of their own.
            by = None
        block = None
        if block_minutes is not None:
            # First, so that the viewer cannot start a session between.
            block = self._blocks.add(
                record, minutes=block_minutes, on_stream=block_stream, reason=reason, message=message, by=by
            )
        ended = self._end(record, reason, message, by)
        for other in self._refused_by(block):
            self._end(other, reason, message, by)
        return Kicked(record=ended, block=block)

    def _end(self, record: SessionRecord, reason: str, message: str | None, by: Actor | None) -> SessionRecord:
        session_id = record.session_id

        def look() -> Action | None:
            found = self._sessions.get(session_id)
            return kick_action(found, reason) if found and found.end_reason is EndReason.KICKED else None

        with self._audit.also_unfinished(by, look):
            ended = self._billing.end(record.user_id, session_id, EndReason.KICKED, message=message)
        self._audit.record(by, kick_action(ended, reason))
        return ended

    def _refused_by(self, block: Block | None) -> list[SessionRecord]:
        """Return the active sessions that could not be started now."""
        wallet = self._wallets.get(block.user_id) if block else None
        if block is None or wallet is None:
            return []
        covered = [
            each.session_id
            for each in wallet.sessions.values()
            if block.covers(each.stream_id) and each.kind is SessionKind.VIEWING
        ]
        return [record for record in map(self._sessions.get, covered) if record is not None]
