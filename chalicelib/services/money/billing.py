"""Billing of sessions: sell lease after lease, and end the session with a refund."""

import random
import time
from dataclasses import dataclass

from chalicelib.domain.access.tokens import PLAY_TTL_MS_MAX
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, SessionNotFound
from chalicelib.domain.money.errors import SessionOver
from chalicelib.domain.money.lease import Outcome, Over, Purchase, Unchanged, close, decide
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.settlement import VIEWERS_OWN
from chalicelib.domain.money.wallets import Wallet, utc_day
from chalicelib.domain.streams.outages import (
    down_until_ms,
    is_down_for,
    newest_outage_ms,
    next_credit,
    outages_before,
)
from chalicelib.domain.streams.runtime import Outage
from chalicelib.ports.common import Clock
from chalicelib.ports.money.money import OnTimeBeat, PlaybackSessions, WalletRefused, Wallets
from chalicelib.ports.operations.counters import Counters
from chalicelib.ports.streams.media import Denylist
from chalicelib.services.money.delivery_cache import DeliveryCache, DeliveryStatus
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.metering import Metering
from chalicelib.services.money.spending import count_spent

TRIES_MAX = 8
BACKOFF_S_MAX = 0.02
SESSIONS_KNOWN_MAX = 10_000
# As long as a play token may outlive its session, plus clock differences; and how many sessions are checked.
DENIED_AGAIN_MS = PLAY_TTL_MS_MAX + 30_000
DENIED_AGAIN_MAX = 50


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The result of a heartbeat or a start: the wallet, the session, and the charge of this seq."""

    wallet: Wallet
    session: ActiveSession
    outcome: Outcome
    charged_millipoints: int
    now_ms: int


class Billing:
    """A common heartbeat is one conditional write. Every other case is a second write after the first was refused."""

    def __init__(
        self,
        *,
        wallets: Wallets,
        sessions: PlaybackSessions,
        ledger: LedgerService,
        delivery: DeliveryCache,
        metering: Metering,
        denylist: Denylist,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._wallets = wallets
        self._sessions = sessions
        self._ledger = ledger
        self._delivery = delivery
        self._metering = metering
        self._denylist = denylist
        self._counters = counters
        self._clock = clock
        # A session's stream never changes, so a process looks it up once.
        self._stream_of: dict[str, str] = {}

    def heartbeat(self, user_id: str, session_id: str, seq: int) -> Beat:
        """Sell the next lease, or report why not.

        Raise `SessionOver` with the end reason, `SessionNotFound` for another user's session, or `Busy`.
        """
        fresh = False
        for attempt in range(TRIES_MAX):
            back_off(attempt)
            now_ms = self._clock.now_ms()
            stream_id = self._stream(user_id, session_id)
            status = self._delivery.status(stream_id, fresh=fresh)
            newest = newest_outage_ms(status.outages)
            try:
                if status.delivered:
                    on_time = OnTimeBeat(
                        session_id=session_id, stream_id=stream_id, seq=seq, now_ms=now_ms, outage_ms=newest
                    )
                    wallet = self._wallets.buy_on_time(user_id, on_time)
                    return self._sold(wallet, session_id, seq, Outcome.ON_TIME, now_ms)
                seen = self._ledger.wallet(user_id)
            except WalletRefused as refusal:
                seen = refusal.wallet or self._ledger.wallet(user_id)
            session = self._session(seen, session_id)
            if session.outage_ms > newest and not fresh:
                # Another process has seen an outage that this one has not. Read again before selling.
                fresh = True
                continue
            beat = self._second_write(seen, session, seq, now_ms, status)
            if beat is not None:
                return beat
        raise Busy("The wallet was busy at every try. Nothing was charged. Send the same heartbeat again.")

    def end(
        self,
        user_id: str,
        session_id: str,
        reason: EndReason,
        *,
        as_of_ms: int | None = None,
        message: str | None = None,
    ) -> SessionRecord:
        """End a session and refund the unserved part of its lease, after the viewer's own ends without its reserve.

        Ending it again returns its record. `as_of_ms` is an earlier time from which on nothing was served, `message` is
        for the viewer. When this returns, the gateway on this machine rejects the session. Raise `SessionNotFound` or
        `Busy`.
        """
        for attempt in range(TRIES_MAX):
            back_off(attempt)
            wallet = self._ledger.wallet(user_id)
            session = wallet.sessions.get(session_id)
            if session is None:
                record = self.record_of(user_id, session_id)
                if record.active:
                    # It was opened after the wallet was read.
                    continue
                self._denylist.deny_session(session_id, record.end_reason or reason)
                return record
            if self.end_as_seen(wallet, session, reason, as_of_ms, message):
                return self.record_of(user_id, session_id)
        raise Busy("The wallet was busy at every try. The session was not ended. Try again.")

    def end_all(self, user_id: str, reason: EndReason) -> None:
        """End all sessions of a user, who may have none, nor a wallet. Raise `Busy`."""
        wallet = self._wallets.get(user_id)
        ended = set(wallet.sessions) if wallet else set()
        for session_id in ended:
            self.end(user_id, session_id, reason)
        # An earlier try may have ended a session without notifying the gateway.
        since_ms = self._clock.now_ms() - DENIED_AGAIN_MS
        for record in self._sessions.by_user(user_id, limit=DENIED_AGAIN_MAX, cursor=None).items:
            if record.session_id not in ended and record.end_reason and (record.ended_at_ms or 0) >= since_ms:
                self._denylist.deny_session(record.session_id, record.end_reason)

    def end_as_seen(
        self,
        wallet: Wallet,
        session: ActiveSession,
        reason: EndReason,
        as_of_ms: int | None = None,
        message: str | None = None,
    ) -> bool:
        """End a session unless it has changed since it was read. Return whether it ended."""
        # The clock first: an outage known at that time is in what is read after it.
        now_ms = self._clock.now_ms()
        outages = self._delivery.status(session.stream_id, fresh=True).outages
        if as_of_ms is not None:
            # A stopped stream has no outage. From then on the refund covers everything.
            outages = outages_before(outages, as_of_ms)
        try:
            session = self._apply_credits(wallet, session, outages, now_ms)
            closing = close(
                session,
                now_ms if as_of_ms is None else min(now_ms, as_of_ms),
                # Only a settlement gives the reserve back, and only what is measured is settled.
                reserves=as_of_ms is None and reason in VIEWERS_OWN and self._metering.is_followed(),
                in_outage=is_down_for(session, outages),
            )
            self._wallets.end(wallet.user_id, session, reason, closing, now_ms, message)
        except WalletRefused as refusal:
            self._ledger.make_room(refusal.wallet or wallet)
            return False
        self._denylist.deny_session(session.session_id, reason)
        count_spent(self._counters, wallet.user_id, -closing.refund_millipoints)
        self._ledger.flush_if_due(self._ledger.wallet(wallet.user_id))
        return True

    def record_of(self, user_id: str, session_id: str) -> SessionRecord:
        """Return the record of a user's session. Raise `SessionNotFound`, also for another user's."""
        record = self._sessions.get(session_id)
        if record is None or record.user_id != user_id:
            raise SessionNotFound(f"There is no session {session_id} of yours.")
        return record

    def over(self, user_id: str, session_id: str) -> SessionOver:
        """Return the error that says how a session ended. Raise `SessionNotFound` if it is another user's."""
        record = self.record_of(user_id, session_id)
        wallet = self._ledger.wallet(user_id)
        return SessionOver(
            record.end_reason or EndReason.LEASE_EXPIRED,
            session_id=session_id,
            charged_millipoints=record.charged_millipoints,
            reserved_millipoints=record.reserved_millipoints,
            watched_ms=record.watched_ms,
            balance_millipoints=wallet.balance_millipoints,
            message=record.message,
        )

    def state(self, wallet: Wallet, session: ActiveSession, outcome: Outcome, now_ms: int) -> Beat:
        """Return the session as it is, nothing sold, with the charge of its newest seq."""
        charged = session.price_of(session.seq)
        return Beat(wallet=wallet, session=session, outcome=outcome, charged_millipoints=charged, now_ms=now_ms)

    def _second_write(
        self, seen: Wallet, session: ActiveSession, seq: int, now_ms: int, status: DeliveryStatus
    ) -> Beat | None:
        """Classify a heartbeat that the first write refused, and do what follows. None: start again."""
        if next_credit(session, status.outages, now_ms) is not None:
            try:
                self._apply_credits(seen, session, status.outages, now_ms)
            except WalletRefused as refusal:
                self._ledger.make_room(refusal.wallet or seen)
            return None
        if utc_day(now_ms) > seen.day:
            self._wallets.begin_day(seen.user_id, utc_day(now_ms))
            return None
        down_ms = down_until_ms(status.outages, now_ms)
        decision = decide(seen, session, seq, now_ms, delivered=status.delivered, down_until_ms=down_ms)
        match decision:
            case Unchanged(Outcome.REPLAY):
                return self.state(seen, session, Outcome.REPLAY, now_ms)
            case Unchanged(outcome):
                return Beat(wallet=seen, session=session, outcome=outcome, charged_millipoints=0, now_ms=now_ms)
            case Over(reason):
                # Guarded by what was read: a concurrent top-up or heartbeat changes the case.
                if not self.end_as_seen(seen, session, reason):
                    return None
                raise self.over(seen.user_id, session.session_id)
            case Purchase():
                try:
                    wallet = self._wallets.buy(
                        seen.user_id, session, seq, decision, now_ms, newest_outage_ms(status.outages)
                    )
                except WalletRefused as refusal:
                    self._ledger.make_room(refusal.wallet or seen)
                    return None
                return self._sold(wallet, session.session_id, seq, decision.outcome, now_ms)

    def _apply_credits(
        self, seen: Wallet, session: ActiveSession, outages: tuple[Outage, ...], now_ms: int
    ) -> ActiveSession:
        """Return the session after all outage credits. Raise `WalletRefused`."""
        while (credit := next_credit(session, outages, now_ms)) is not None:
            wallet = self._wallets.credit_outage(seen.user_id, session, credit, now_ms)
            count_spent(self._counters, seen.user_id, -credit.millipoints)
            self._ledger.flush_if_due(wallet)
            session = wallet.sessions[session.session_id]
        return session

    def _sold(self, wallet: Wallet, session_id: str, seq: int, outcome: Outcome, now_ms: int) -> Beat:
        session = wallet.sessions[session_id]
        charged = session.price_of(seq)
        count_spent(self._counters, wallet.user_id, charged)
        self._ledger.flush_if_due(wallet)
        return Beat(wallet=wallet, session=session, outcome=outcome, charged_millipoints=charged, now_ms=now_ms)

    def _session(self, wallet: Wallet, session_id: str) -> ActiveSession:
        session = wallet.sessions.get(session_id)
        if session is None:
            raise self.over(wallet.user_id, session_id)
        return session

    def _stream(self, user_id: str, session_id: str) -> str:
        stream_id = self._stream_of.get(session_id)
        if stream_id is None:
            stream_id = self._session(self._ledger.wallet(user_id), session_id).stream_id
            if len(self._stream_of) >= SESSIONS_KNOWN_MAX:
                self._stream_of.clear()
            self._stream_of[session_id] = stream_id
        return stream_id


def back_off(attempt: int) -> None:
    """Wait before a retry, longer each time."""
    if attempt:
        time.sleep(random.uniform(0, BACKOFF_S_MAX * attempt))
