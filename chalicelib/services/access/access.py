"""The access rule: may this play token fetch this session's media now? Every gateway asks here."""

from dataclasses import dataclass

from chalicelib.domain.access.clients import Client
from chalicelib.domain.access.tokens import PlayClaims, play_expiry_ms
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import TokenExpired, Unauthenticated
from chalicelib.domain.money.errors import SessionOver
from chalicelib.domain.money.lease import GRACE_MS, available_millipoints, exhausted_reason, fetchable_ms
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.money.wallets import Wallet
from chalicelib.domain.streams.stream import END_OF_DESIRED, DesiredState
from chalicelib.ports.accounts.identity import Tokens
from chalicelib.ports.common import Clock
from chalicelib.ports.money.money import PlaybackSessions, Wallets
from chalicelib.services.access.binding import Binding
from chalicelib.services.money.delivery_cache import DeliveryCache


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision that allows. A gateway may cache it until `until_ms`, the end of the paid lease; never if past.

    `fetchable_ms` is how much media the session may have fetched until now.
    """

    session_id: str
    user_id: str
    stream_id: str
    until_ms: int
    fetchable_ms: int


class Access:
    """Issues play tokens and decides on them."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        wallets: Wallets,
        sessions: PlaybackSessions,
        delivery: DeliveryCache,
        binding: Binding,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._wallets = wallets
        self._sessions = sessions
        self._delivery = delivery
        self._binding = binding
        self._clock = clock

    def issue(self, user_id: str, session: ActiveSession) -> tuple[str, int]:
        """Return a play token for the session and its lifetime in whole seconds."""
        now_ms = self._clock.now_ms()
        expires_at_ms = play_expiry_ms(session.paid_until_ms, now_ms)
        claims = PlayClaims(
            user_id=user_id,
            session_id=session.session_id,
            stream_id=session.stream_id,
            expires_at_ms=expires_at_ms,
        )
        return self._tokens.sign_play(claims), max(0, expires_at_ms - now_ms) // 1000

    def authorize(self, token: str | None, session_id: str, client: Client | None) -> Decision:
        """Allow, or raise `Unauthenticated`, `TokenExpired`, `BoundElsewhere` or `SessionOver` with the end reason.

        A session's end has priority over the expiry of its token, so that viewers see the real reason. `client` is None
        if the gateway does not know the client. The decision is valid for that client only.
        """
        if not token:
            raise Unauthenticated("The play token is missing. Send the header `Authorization: Bearer <play token>`.")
        claims = self._tokens.play(token)
        if claims.session_id != session_id:
            raise Unauthenticated("This play token belongs to another session.")
        now_ms = self._clock.now_ms()
        wallet, session = self._paid_session(claims, now_ms)
        desired = self._delivery.desired(session.stream_id)
        if desired is not DesiredState.LIVE:
            raise SessionOver(END_OF_DESIRED.get(desired or DesiredState.STOPPED, EndReason.STREAM_STOPPED))
        if now_ms >= claims.expires_at_ms:
            raise TokenExpired("The play token has expired. A heartbeat or a renewal returns a fresh one.")
        # Last, so that a rejected request does not bind the session.
        self._binding.check(self._delivery.binding(session.stream_id), claims.user_id, session, client)
        return Decision(
            session_id=session_id,
            user_id=claims.user_id,
            stream_id=session.stream_id,
            until_ms=min(session.paid_until_ms, claims.expires_at_ms),
            fetchable_ms=fetchable_ms(wallet, session, now_ms),
        )

    def _paid_session(self, claims: PlayClaims, now_ms: int) -> tuple[Wallet, ActiveSession]:
        wallet = self._wallets.get(claims.user_id)
        session = wallet.sessions.get(claims.session_id) if wallet else None
        if wallet is None or session is None or session.stream_id != claims.stream_id:
            record = self._sessions.get(claims.session_id)
            if record is not None and record.user_id == claims.user_id and record.end_reason:
                raise SessionOver(record.end_reason)
            raise Unauthenticated("There is no such session.")
        if now_ms >= session.paid_until_ms + GRACE_MS:
            broke = session.charge_millipoints > 0 and available_millipoints(wallet, session, now_ms) == 0
            raise SessionOver(exhausted_reason(wallet, session) if broke else EndReason.LEASE_EXPIRED)
        return wallet, session
