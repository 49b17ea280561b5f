"""Selling watching time: sell lease after lease, end the session. All money of a running session moves here."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.access.tokens import PLAY_TTL_MS_MAX
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, SessionNotFound, SessionOver
from chalicelib.domain.money.lease import Outcome, Over, Purchase, Unchanged, decide, settle
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.wallets import Entry, Wallet, lease_entry_id, utc_day
from chalicelib.domain.streams.outages import down_until_ms, newest_outage_ms, next_credit, outages_before
from chalicelib.domain.streams.runtime import Outage
from chalicelib.ports import Clock, Counters, Denylist, OnTimeBeat, PlaybackSessions, WalletRefused, Wallets
from chalicelib.services.money.delivery import Delivery, DeliveryStatus
from chalicelib.services.money.ledger import LedgerService

TRIES_MAX = 8
BACKOFF_S_MAX = 0.02
SESSIONS_KNOWN_MAX = 10_000
# As long as a play token may outlive its session, with room for clocks; and how many sessions are looked at.
DENIED_AGAIN_MS = PLAY_TTL_MS_MAX + 30_000
DENIED_AGAIN_MAX = 50
# How far back the cost of a repeated beat is looked for: many sessions of one user may have beaten and been paid for
# since. 2,000 changes in the ten minutes that a session may lie still are more than any honest viewer makes.
REPLAY_ENTRIES_AT_ONCE = 50
REPLAY_READS_MAX = 40


@dataclass(frozen=True, kw_only=True)
class Beat:
    """What became of a heartbeat or a start: the wallet and the session as they stand, and what this seq cost."""

    wallet: Wallet
    session: ActiveSession
    outcome: Outcome
    charged_millipoints: int
    now_ms: int


class Billing:
    """One heartbeat is one conditional write; everything else is a second one after the first was refused."""

    def __init__(
        self,
        *,
        wallets: Wallets,
        sessions: PlaybackSessions,
        ledger: LedgerService,
        delivery: Delivery,
        denylist: Denylist,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._wallets = wallets
        self._sessions = sessions
        self._ledger = ledger
        self._delivery = delivery
        self._denylist = denylist
        self._counters = counters
        self._clock = clock
        # A session's stream never changes, so a process needs to look it up but once.
        self._stream_of: dict[str, str] = {}

    def heartbeat(self, user_id: str, session_id: str, seq: int) -> Beat:
        """Sell the next lease, or say why not.

        Raises `SessionOver` with the end reason, `SessionNotFound` for a session that is not this user's, `Busy`.
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
                # Another process knows of an outage that this one has not heard of yet: nothing is sold on old news.
                fresh = True
                continue
            beat = self._second_write(seen, session, seq, now_ms, status)
            if beat is not None:
                return beat
        raise Busy("The wallet was busy at every try; nothing was charged. Send the same beat again.")

    def end(self, user_id: str, session_id: str, reason: EndReason, *, as_of_ms: int | None = None) -> SessionRecord:
        """End a session and refund the unserved part of what it paid; ending it again answers how it ended.

        `as_of_ms` is a moment before now from which on nothing was served. When this returns, the gateway on this
        machine refuses the session. Raises `SessionNotFound`, `Busy`.
        """
        for attempt in range(TRIES_MAX):
            back_off(attempt)
            wallet = self._ledger.wallet(user_id)
            session = wallet.sessions.get(session_id)
            if session is None:
                record = self._ended_record(user_id, session_id)
                if record.active:
                    # It was opened after the wallet was read.
                    continue
                self._denylist.deny_session(session_id, record.end_reason or reason)
                return record
            if self.end_as_seen(wallet, session, reason, as_of_ms):
                return self._ended_record(user_id, session_id)
        raise Busy("The wallet was busy at every try; the session goes on. Try again.")

    def end_all(self, user_id: str, reason: EndReason) -> None:
        """End all sessions of a user; there may be none, nor a wallet. Raises `Busy`."""
        wallet = self._wallets.get(user_id)
        ended = set(wallet.sessions) if wallet else set()
        for session_id in ended:
            self.end(user_id, session_id, reason)
        # A try before this one may have ended a session and not have told the gateway.
        since_ms = self._clock.now_ms() - DENIED_AGAIN_MS
        for record in self._sessions.by_user(user_id, limit=DENIED_AGAIN_MAX, cursor=None).items:
            if record.session_id not in ended and record.end_reason and (record.ended_at_ms or 0) >= since_ms:
                self._denylist.deny_session(record.session_id, record.end_reason)

    def end_as_seen(
        self, wallet: Wallet, session: ActiveSession, reason: EndReason, as_of_ms: int | None = None
    ) -> bool:
        """End a session unless it has changed since it was seen; answers whether it ended."""
        # The clock first: whatever outage was known at that moment is known to what is read after it.
        now_ms = self._clock.now_ms()
        outages = self._delivery.status(session.stream_id, fresh=True).outages
        if as_of_ms is not None:
            # What is down because it was to be stopped is no outage; from then on the refund gives all back.
            outages = outages_before(outages, as_of_ms)
        try:
            session = self._credited(wallet, session, outages, now_ms)
            settlement = settle(session, now_ms if as_of_ms is None else min(now_ms, as_of_ms))
            self._wallets.end(wallet.user_id, session, reason, settlement, now_ms)
        except WalletRefused as refusal:
            self._ledger.make_room(refusal.wallet or wallet)
            return False
        self._denylist.deny_session(session.session_id, reason)
        self._counters.add("spent_millipoints", -settlement.refund_millipoints)
        self._ledger.flush_if_due(self._ledger.wallet(wallet.user_id))
        return True

    def over(self, user_id: str, session_id: str) -> SessionOver:
        """The refusal that tells how a session ended; raises `SessionNotFound` if it is not this user's."""
        record = self._ended_record(user_id, session_id)
        wallet = self._ledger.wallet(user_id)
        return SessionOver(
            record.end_reason or EndReason.LEASE_EXPIRED,
            session_id=session_id,
            charged_millipoints=record.charged_millipoints,
            watched_ms=record.watched_ms,
            balance_millipoints=wallet.balance_millipoints,
        )

    def state(self, wallet: Wallet, session: ActiveSession, outcome: Outcome, now_ms: int) -> Beat:
        """The session as it stands, nothing sold: what its newest seq had cost."""
        charged = self._charged(wallet, session, session.seq)
        return Beat(wallet=wallet, session=session, outcome=outcome, charged_millipoints=charged, now_ms=now_ms)

    def _second_write(
        self, seen: Wallet, session: ActiveSession, seq: int, now_ms: int, status: DeliveryStatus
    ) -> Beat | None:
        """Classify a beat that the common write refused, and do what that asks for. None: try again from the start."""
        if next_credit(session, status.outages, now_ms) is not None:
            try:
                self._credited(seen, session, status.outages, now_ms)
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
                # Against what was seen: a top-up or a beat that came between makes it another case.
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

    def _credited(
        self, seen: Wallet, session: ActiveSession, outages: tuple[Outage, ...], now_ms: int
    ) -> ActiveSession:
        """The session after all that outages owe it has been given back; raises `WalletRefused`."""
        while (credit := next_credit(session, outages, now_ms)) is not None:
            wallet = self._wallets.credit_outage(seen.user_id, session, credit, now_ms)
            self._counters.add("spent_millipoints", -credit.millipoints)
            self._ledger.flush_if_due(wallet)
            session = wallet.sessions[session.session_id]
        return session

    def _sold(self, wallet: Wallet, session_id: str, seq: int, outcome: Outcome, now_ms: int) -> Beat:
        session = wallet.sessions[session_id]
        charged = self._charged(wallet, session, seq)
        self._counters.add("spent_millipoints", charged)
        self._ledger.flush_if_due(wallet)
        return Beat(wallet=wallet, session=session, outcome=outcome, charged_millipoints=charged, now_ms=now_ms)

    def _charged(self, wallet: Wallet, session: ActiveSession, seq: int) -> int:
        """What a seq was charged, from its entry in the journal or, where that has moved, in the ledger."""
        entry_id = lease_entry_id(session.session_id, seq)
        costs = (-each.delta_millipoints for each in self._entries_back(wallet) if each.entry_id == entry_id)
        return next(costs, session.charge_millipoints)

    def _entries_back(self, wallet: Wallet) -> Iterator[Entry]:
        """The journal, then the ledger from its newest entry on, as far as it is looked at."""
        yield from wallet.journal
        cursor: str | None = None
        for _ in range(REPLAY_READS_MAX):
            page = self._ledger.entries(wallet.user_id, limit=REPLAY_ENTRIES_AT_ONCE, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

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

    def _ended_record(self, user_id: str, session_id: str) -> SessionRecord:
        record = self._sessions.get(session_id)
        if record is None or record.user_id != user_id:
            raise SessionNotFound(f"There is no session {session_id} of yours.")
        return record


def back_off(attempt: int) -> None:
    """Wait a little before a further try, and each time longer."""
    if attempt:
        time.sleep(random.uniform(0, BACKOFF_S_MAX * attempt))
