"""Selling watching time: open a session, sell lease after lease, end it. All money of a session moves here."""

import random
import time
from dataclasses import dataclass, replace

from chalicelib.domain.errors import Busy, SessionLimit, SessionNotFound, SessionOver
from chalicelib.domain.lease import GRACE_MS, Outcome, Over, Purchase, Unchanged, decide, first_purchase, settle
from chalicelib.domain.points import lease_charge
from chalicelib.domain.sessions import ActiveSession, EndReason, SessionRecord
from chalicelib.domain.wallets import Wallet, lease_entry_id
from chalicelib.ports import Clock, Counters, Denylist, PlaybackSessions, StoreUnavailable, WalletRefused, Wallets
from chalicelib.services.delivery import Delivery
from chalicelib.services.ledger import LedgerService

TRIES_MAX = 8
BACKOFF_S_MAX = 0.02
SESSIONS_KNOWN_MAX = 10_000
# How far back the cost of a repeated beat is looked for: many sessions of one user may have beaten since.
REPLAY_ENTRIES_MAX = 50


@dataclass(frozen=True, kw_only=True)
class Beat:
    """What became of a heartbeat or a start: the session and the balance as they stand, and what this seq cost."""

    session: ActiveSession
    balance_millipoints: int
    outcome: Outcome
    charged_millipoints: int
    now_ms: int

    @classmethod
    def of(cls, wallet: Wallet, session: ActiveSession, now_ms: int, outcome: Outcome, charged: int) -> "Beat":
        """What became of it, with the balance of `wallet`."""
        return cls(
            session=session,
            balance_millipoints=wallet.balance_millipoints,
            outcome=outcome,
            charged_millipoints=charged,
            now_ms=now_ms,
        )


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
        sessions_per_user_max: int,
    ) -> None:
        self._wallets = wallets
        self._sessions = sessions
        self._ledger = ledger
        self._delivery = delivery
        self._denylist = denylist
        self._counters = counters
        self._clock = clock
        self._sessions_per_user_max = sessions_per_user_max
        # A session's stream never changes, so a process needs to look it up but once.
        self._stream_of: dict[str, str] = {}

    def open(self, user_id: str, record: SessionRecord, budget_millipoints: int) -> Beat:
        """Start a session with its first lease, as seq 1.

        Raises `SessionLimit` (with the sessions in the way), `SessionOver` (the wallet is empty), `Busy`.
        """
        for attempt in range(TRIES_MAX):
            _back_off(attempt)
            wallet = self._ledger.wallet(user_id)
            now_ms = self._clock.now_ms()
            if len(wallet.sessions) >= self._sessions_per_user_max:
                self._make_place(wallet, now_ms)
                continue
            purchase = first_purchase(
                rate_millipoints_per_minute=record.rate_millipoints_per_minute,
                lease_ms=record.lease_ms,
                available_millipoints=min(wallet.balance_millipoints, budget_millipoints),
                now_ms=now_ms,
            )
            if isinstance(purchase, Over):
                raise SessionOver(purchase.reason, balance_millipoints=wallet.balance_millipoints)
            session = _first_session(record, purchase, budget_millipoints, now_ms)
            try:
                self._wallets.start(user_id, session, record, self._sessions_per_user_max)
            except WalletRefused:
                self._ledger.make_room(wallet)
                continue
            self._counters.add("spent_millipoints", purchase.charge_millipoints)
            return Beat.of(
                self._after_start(wallet, session), session, now_ms, purchase.outcome, session.charged_millipoints
            )
        raise Busy("The wallet was busy at every try; nothing was charged. Try again.")

    def heartbeat(self, user_id: str, session_id: str, seq: int) -> Beat:
        """Sell the next lease, or say why not.

        Raises `SessionOver` with the end reason, `SessionNotFound` for a session that is not this user's, `Busy`.
        """
        for attempt in range(TRIES_MAX):
            _back_off(attempt)
            now_ms = self._clock.now_ms()
            delivered = self._delivery.is_delivered(self._stream(user_id, session_id))
            try:
                if delivered:
                    wallet = self._wallets.buy_on_time(user_id, session_id, seq, now_ms)
                    return self._sold(wallet, session_id, seq, Outcome.ON_TIME, now_ms)
                seen = self._ledger.wallet(user_id)
            except WalletRefused as refusal:
                seen = refusal.wallet or self._ledger.wallet(user_id)
            beat = self._second_write(seen, session_id, seq, now_ms, delivered=delivered)
            if beat is not None:
                return beat
        raise Busy("The wallet was busy at every try; nothing was charged. Send the same beat again.")

    def end(self, user_id: str, session_id: str, reason: EndReason, *, as_of_ms: int | None = None) -> SessionRecord:
        """End a session and refund the unserved part of what it paid; ending it again answers how it ended.

        `as_of_ms` is a moment before now from which on nothing was served. When this returns, the gateway on this
        machine refuses the session. Raises `SessionNotFound`, `Busy`.
        """
        for attempt in range(TRIES_MAX):
            _back_off(attempt)
            wallet = self._ledger.wallet(user_id)
            session = wallet.sessions.get(session_id)
            if session is None:
                record = self._ended_record(user_id, session_id)
                self._denylist.deny_session(session_id, record.end_reason or reason)
                return record
            if self._end_as_seen(wallet, session, reason, as_of_ms):
                return self._ended_record(user_id, session_id)
        raise Busy("The wallet was busy at every try; the session goes on. Try again.")

    def _end_as_seen(
        self, wallet: Wallet, session: ActiveSession, reason: EndReason, as_of_ms: int | None = None
    ) -> bool:
        """End a session unless it has changed since it was seen; answers whether it ended."""
        now_ms = self._clock.now_ms()
        settlement = settle(session, now_ms if as_of_ms is None else min(now_ms, as_of_ms))
        try:
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

    def _second_write(self, seen: Wallet, session_id: str, seq: int, now_ms: int, *, delivered: bool) -> Beat | None:
        """Classify a beat that the common write refused, and do what that asks for. None: try again from the start."""
        session = seen.sessions.get(session_id)
        if session is None:
            raise self.over(seen.user_id, session_id)
        decision = decide(session, seen.balance_millipoints, seq, now_ms, delivered=delivered)
        match decision:
            case Unchanged(outcome):
                charged = self._charged(seen, session, seq) if outcome is Outcome.REPLAY else 0
                return Beat.of(seen, session, now_ms, outcome, charged)
            case Over(reason):
                # Against what was seen: a top-up or a beat that came between makes it another case.
                if not self._end_as_seen(seen, session, reason):
                    return None
                raise self.over(seen.user_id, session_id)
            case Purchase():
                try:
                    wallet = self._wallets.buy(seen.user_id, session, seq, decision, now_ms)
                except WalletRefused as refusal:
                    self._ledger.make_room(refusal.wallet or seen)
                    return None
                return self._sold(wallet, session_id, seq, decision.outcome, now_ms)

    def _sold(self, wallet: Wallet, session_id: str, seq: int, outcome: Outcome, now_ms: int) -> Beat:
        session = wallet.sessions[session_id]
        charged = self._charged(wallet, session, seq)
        self._counters.add("spent_millipoints", charged)
        self._ledger.flush_if_due(wallet)
        return Beat.of(wallet, session, now_ms, outcome, charged)

    def _after_start(self, before: Wallet, session: ActiveSession) -> Wallet:
        """The wallet after a start. The start is made, so that it cannot be read must not turn it into a failure."""
        try:
            wallet = self._ledger.wallet(before.user_id)
        except StoreUnavailable:
            return replace(before, balance_millipoints=before.balance_millipoints - session.charged_millipoints)
        self._ledger.flush_if_due(wallet)
        return wallet

    def _charged(self, wallet: Wallet, session: ActiveSession, seq: int) -> int:
        """What a seq was charged, from its entry in the journal or, where that has moved, in the ledger."""
        entry_id = lease_entry_id(session.session_id, seq)
        entries = wallet.journal
        if not any(entry.entry_id == entry_id for entry in entries):
            entries = tuple(self._ledger.entries(wallet.user_id, limit=REPLAY_ENTRIES_MAX, cursor=None).items)
        return next((-e.delta_millipoints for e in entries if e.entry_id == entry_id), session.charge_millipoints)

    def _stream(self, user_id: str, session_id: str) -> str:
        stream_id = self._stream_of.get(session_id)
        if stream_id is None:
            session = self._ledger.wallet(user_id).sessions.get(session_id)
            if session is None:
                raise self.over(user_id, session_id)
            if len(self._stream_of) >= SESSIONS_KNOWN_MAX:
                self._stream_of.clear()
            stream_id = self._stream_of[session_id] = session.stream_id
        return stream_id

    def _make_place(self, wallet: Wallet, now_ms: int) -> None:
        """End a session whose lease has run out: it watches nothing, so it must not be in the way of one that would."""
        in_the_way = sorted(wallet.sessions.values(), key=lambda session: session.started_at_ms)
        for session in in_the_way:
            if now_ms > session.paid_until_ms + GRACE_MS:
                self._end_as_seen(wallet, session, EndReason.LEASE_EXPIRED)
                return
        raise SessionLimit(
            f"At most {self._sessions_per_user_max} sessions at a time; stop one, or start with replace.",
            sessions=[
                {"session_id": s.session_id, "stream_id": s.stream_id, "started_at_ms": s.started_at_ms}
                for s in in_the_way
            ],
        )

    def _ended_record(self, user_id: str, session_id: str) -> SessionRecord:
        record = self._sessions.get(session_id)
        if record is None or record.user_id != user_id:
            raise SessionNotFound(f"There is no session {session_id} of yours.")
        return record


def _first_session(record: SessionRecord, purchase: Purchase, budget_millipoints: int, now_ms: int) -> ActiveSession:
    return ActiveSession(
        session_id=record.session_id,
        stream_id=record.stream_id,
        kind=record.kind,
        started_at_ms=now_ms,
        rate_millipoints_per_minute=record.rate_millipoints_per_minute,
        lease_ms=record.lease_ms,
        charge_millipoints=lease_charge(record.rate_millipoints_per_minute, record.lease_ms),
        seq=1,
        paid_until_ms=purchase.paid_until_ms,
        charged_millipoints=purchase.charge_millipoints,
        budget_millipoints=budget_millipoints - purchase.charge_millipoints,
        granted_ms=purchase.granted_ms,
    )


def _back_off(attempt: int) -> None:
    if attempt:
        time.sleep(random.uniform(0, BACKOFF_S_MAX * attempt))
