"""Opening a session with its first lease, exactly once for each idempotency key."""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, IdempotencyMismatch, SessionLimit, StreamFull, StreamNotLive
from chalicelib.domain.money.errors import DebtOpen, SessionOver
from chalicelib.domain.money.lease import GRACE_MS, Outcome, Over, Purchase, first_purchase
from chalicelib.domain.money.points import lease_charge
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.wallets import Wallet, utc_day
from chalicelib.domain.streams.outages import closed_outages, newest_outage_ms
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.money.money import NoPlace, PlaybackSessions, WalletRefused, Wallets
from chalicelib.ports.operations.counters import Counters
from chalicelib.services.money.billing import TRIES_MAX, Beat, Billing, back_off
from chalicelib.services.money.delivery_cache import DeliveryCache
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.spending import count_spent

# How many sessions of a full stream are checked for an expired lease; the reaper ends the others.
LAPSED_LOOKED_AT_MAX = 100


class SessionOpener:
    """Opens sessions. A start whose response was lost is found by its session id."""

    def __init__(
        self,
        *,
        wallets: Wallets,
        sessions: PlaybackSessions,
        ledger: LedgerService,
        billing: Billing,
        delivery: DeliveryCache,
        counters: Counters,
        clock: Clock,
        sessions_per_user_max: int,
    ) -> None:
        self._wallets = wallets
        self._sessions = sessions
        self._ledger = ledger
        self._billing = billing
        self._delivery = delivery
        self._counters = counters
        self._clock = clock
        self._sessions_per_user_max = sessions_per_user_max

    def find(self, user_id: str, session_id: str, stream_id: str, budget_millipoints: int) -> Beat | None:
        """Return the session that an earlier try of this start opened, or None.

        Raise `SessionOver` if it has ended, `IdempotencyMismatch` if that start was a different one.
        """
        for attempt in range(TRIES_MAX):
            back_off(attempt)
            wallet = self._ledger.wallet(user_id)
            session = wallet.sessions.get(session_id)
            record = None if session else self._sessions.get(session_id)
            if session is None and record is None:
                return None
            if session is not None:
                budget = session.budget_millipoints + session.charged_millipoints
                if (session.stream_id, budget) != (stream_id, budget_millipoints):
                    raise _mismatch()
                return self._billing.state(wallet, session, Outcome.REPLAY, self._clock.now_ms())
            if record is not None and not record.active:
                raise self._billing.over(user_id, session_id) if record.stream_id == stream_id else _mismatch()
            # It was opened between the two reads, so read again.
        raise Busy("The wallet was busy at every try. Send the same start again.")

    def open(self, user_id: str, record: SessionRecord, budget_millipoints: int, viewers_max: int = 0) -> Beat:
        """Start a session with its first lease, as seq 1. The same record again returns the existing session.

        `viewers_max` 0 is no limit. Raise `SessionLimit` or `StreamFull` (with the sessions that count towards it),
        `StreamNotLive`, `SessionOver` (no points left), `DebtOpen` or `Busy`.
        """
        for attempt in range(TRIES_MAX):
            back_off(attempt)
            if attempt:
                # The last try may have succeeded although its response was lost.
                beat = self.find(user_id, record.session_id, record.stream_id, budget_millipoints)
                if beat is not None:
                    return beat
            wallet = self._ledger.wallet(user_id)
            now_ms = self._clock.now_ms()
            if record.session_id in wallet.sessions:
                # An earlier try of the same start must not count against it.
                continue
            if len(wallet.sessions) >= self._sessions_per_user_max:
                self._make_place(wallet, now_ms)
                continue
            # The clock first: an outage known at that time is seen here. The caller looked before, but tries take time,
            # and a function may pause.
            if not self._delivery.status(record.stream_id).delivered:
                raise StreamNotLive.of(record.stream_id)
            if utc_day(now_ms) > wallet.day:
                self._wallets.begin_day(user_id, utc_day(now_ms))
            debt = wallet.debt_millipoints if record.rate_millipoints_per_minute else 0
            if wallet.balance_millipoints < debt:
                raise _debt_open(wallet)
            purchase = first_purchase(
                replace(wallet, balance_millipoints=wallet.balance_millipoints - debt),
                rate_millipoints_per_minute=record.rate_millipoints_per_minute,
                lease_ms=record.lease_ms,
                budget_millipoints=budget_millipoints,
                now_ms=now_ms,
            )
            if isinstance(purchase, Over):
                raise SessionOver(purchase.reason, balance_millipoints=wallet.balance_millipoints)
            session = self._first_session(record, purchase, budget_millipoints, now_ms, counted=viewers_max > 0)
            known = replace(record, from_version=wallet.version, debt_payment_millipoints=debt)
            try:
                self._wallets.start(user_id, session, known, self._sessions_per_user_max, viewers_max, debt)
            except NoPlace:
                self._make_place_on_stream(wallet, record.stream_id, viewers_max, now_ms)
                continue
            except WalletRefused:
                self._ledger.make_room(wallet)
                continue
            count_spent(self._counters, user_id, purchase.charge_millipoints)
            return Beat(
                wallet=self._after_start(wallet, session, debt),
                session=session,
                outcome=purchase.outcome,
                charged_millipoints=session.charged_millipoints,
                now_ms=now_ms,
            )
        raise Busy("The wallet was busy at every try. Nothing was charged. Try again.")

    def _first_session(
        self, record: SessionRecord, purchase: Purchase, budget_millipoints: int, now_ms: int, *, counted: bool
    ) -> ActiveSession:
        return ActiveSession(
            session_id=record.session_id,
            stream_id=record.stream_id,
            kind=record.kind,
            started_at_ms=now_ms,
            rate_millipoints_per_minute=record.rate_millipoints_per_minute,
            lease_ms=record.lease_ms,
            charge_millipoints=lease_charge(record.rate_millipoints_per_minute, record.lease_ms),
            seq=1,
            paid_from_ms=purchase.paid_from_ms,
            paid_until_ms=purchase.paid_until_ms,
            charged_millipoints=purchase.charge_millipoints,
            budget_millipoints=budget_millipoints - purchase.charge_millipoints,
            granted_ms=purchase.granted_ms,
            priced_seq=1 if purchase.outcome is Outcome.POOR else 0,
            priced_millipoints=purchase.charge_millipoints if purchase.outcome is Outcome.POOR else 0,
            # Ended outages do not concern a new session; an open one does.
            outage_ms=newest_outage_ms(closed_outages(self._delivery.status(record.stream_id).outages)),
            counted=counted,
        )

    def _after_start(self, before: Wallet, session: ActiveSession, paid_debt_millipoints: int) -> Wallet:
        """Return the wallet after a start. The start is done, so a failing read must not fail it."""
        try:
            wallet = self._ledger.wallet(before.user_id)
        except StoreUnavailable:
            return replace(
                before,
                balance_millipoints=before.balance_millipoints - session.charged_millipoints - paid_debt_millipoints,
                debt_millipoints=before.debt_millipoints - paid_debt_millipoints,
                sessions={**before.sessions, session.session_id: session},
            )
        self._ledger.flush_if_due(wallet)
        return wallet

    def _make_place(self, wallet: Wallet, now_ms: int) -> None:
        """End a session whose lease has expired, so that it does not block a new one."""
        in_the_way = _oldest_first(wallet)
        for session in in_the_way:
            if _is_lapsed(session, now_ms):
                self._billing.end_as_seen(wallet, session, EndReason.LEASE_EXPIRED)
                return
        raise SessionLimit(
            f"You already have {self._sessions_per_user_max} active sessions. Stop one, or start with `replace`.",
            sessions=_named(in_the_way),
        )

    def _make_place_on_stream(self, wallet: Wallet, stream_id: str, viewers_max: int, now_ms: int) -> None:
        """End sessions of a full stream whose leases have expired."""
        records = self._sessions.active(stream_id, limit=LAPSED_LOOKED_AT_MAX, cursor=None).items
        wallets = self._wallets.get_many(record.user_id for record in records)
        ended = 0
        for record in records:
            other = wallets.get(record.user_id)
            session = other.sessions.get(record.session_id) if other else None
            if other and session and session.counted and _is_lapsed(session, now_ms):
                ended += self._billing.end_as_seen(other, session, EndReason.LEASE_EXPIRED)
        if not ended:
            raise StreamFull(
                f"The stream {stream_id} is full: its operator allows {viewers_max} viewers. Try again later.",
                sessions=_named(session for session in _oldest_first(wallet) if session.stream_id == stream_id),
            )


def _mismatch() -> IdempotencyMismatch:
    detail = "This idempotency key was used for a start with another stream_id or max_points. Use a new key."
    return IdempotencyMismatch(detail)


def _debt_open(wallet: Wallet) -> DebtOpen:
    return DebtOpen(
        f"{wallet.debt_millipoints} millipoints of earlier viewing are open, and the wallet holds"
        f" {wallet.balance_millipoints}. A start pays them first. Nothing was charged.",
        debt_millipoints=wallet.debt_millipoints,
        balance_millipoints=wallet.balance_millipoints,
    )


def _oldest_first(wallet: Wallet) -> list[ActiveSession]:
    return sorted(wallet.sessions.values(), key=lambda session: session.started_at_ms)


def _is_lapsed(session: ActiveSession, now_ms: int) -> bool:
    return now_ms > session.paid_until_ms + GRACE_MS


def _named(sessions: Iterable[ActiveSession]) -> list[dict[str, object]]:
    return [{"session_id": s.session_id, "stream_id": s.stream_id, "started_at_ms": s.started_at_ms} for s in sessions]
