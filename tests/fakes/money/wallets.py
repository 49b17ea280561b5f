"""Wallets in memory, under the same conditions as DynamoDB's adapters."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Closing, Outcome, Purchase, buy_from_ms
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.settlement import SettlementWrite
from chalicelib.domain.money.totals import MoneyTotals, totals_of_payment, totals_of_reversal
from chalicelib.domain.money.usage import day_of
from chalicelib.domain.money.wallets import (
    JOURNAL_ENTRIES_MAX,
    PAGE_ENTRIES,
    Entry,
    EntryKind,
    Page,
    Payment,
    Wallet,
    credited_today_millipoints,
    debt_entry,
    end_entry,
    lease_entry,
    outage_entry,
    payment_entry,
    reversal_entry,
    utc_day,
)
from chalicelib.domain.streams.outages import OutageCredit
from chalicelib.ports.money.money import BeyondCost, NoPlace, OnTimeBeat, WalletRefused


class MemoryStore:
    """The tables that billing touches, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wallets: dict[str, Wallet] = {}
        self.records: dict[str, SessionRecord] = {}
        self.payments: dict[str, Payment] = {}
        self.pages: dict[tuple[str, int], Page] = {}
        self.places: Counter[str] = Counter()
        self.totals: dict[str, MoneyTotals] = {}

    def count(self, at_ms: int, counted: MoneyTotals) -> None:
        day = day_of(at_ms)
        self.totals[day] = self.totals.get(day, MoneyTotals()).plus(counted)


class MemoryWallets:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def create(self, user_id: str) -> None:
        with self._store.lock:
            self._store.wallets.setdefault(user_id, Wallet(user_id=user_id))

    def get(self, user_id: str) -> Wallet | None:
        return self._store.wallets.get(user_id)

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, Wallet]:
        return {each: self._store.wallets[each] for each in user_ids if each in self._store.wallets}

    def buy_on_time(self, user_id: str, beat: OnTimeBeat) -> Wallet:
        with self._store.lock:
            wallet, session = self._seen(user_id, beat.session_id)
            until_ms, charge = session.paid_until_ms, session.charge_millipoints
            allowed = (
                session.seq < beat.seq
                and buy_from_ms(session) <= beat.now_ms <= until_ms
                and session.outage_ms == beat.outage_ms
                and _within_cap(wallet, charge, beat.now_ms)
                and wallet.balance_millipoints >= charge <= session.budget_millipoints
                and len(wallet.journal) < JOURNAL_ENTRIES_MAX
            )
            if not allowed:
                raise WalletRefused(wallet)
            purchase = Purchase(
                outcome=Outcome.ON_TIME,
                charge_millipoints=charge,
                granted_ms=session.lease_ms,
                paid_from_ms=session.paid_from_ms,
                paid_until_ms=until_ms + session.lease_ms,
                free_from_ms=session.free_from_ms,
                free_until_ms=session.free_until_ms,
            )
            return self._bought(wallet, session, beat.seq, purchase, beat.now_ms, beat.outage_ms, is_priced=False)

    def buy(
        self, user_id: str, seen: ActiveSession, seq: int, purchase: Purchase, now_ms: int, outage_ms: int
    ) -> Wallet:
        with self._store.lock:
            wallet, session = self._as_seen(user_id, seen)
            charge, budget = purchase.charge_millipoints, session.budget_millipoints
            rests = (wallet.balance_millipoints, wallet.daily_left_millipoints, budget)
            allowed = (
                wallet.balance_millipoints >= charge <= budget
                and (charge == 0 or _within_cap(wallet, charge, now_ms))
                and len(wallet.journal) < JOURNAL_ENTRIES_MAX
                and (purchase.outcome is not Outcome.POOR or charge in rests)
            )
            if not allowed:
                raise WalletRefused(wallet)
            return self._bought(wallet, session, seq, purchase, now_ms, outage_ms, is_priced=True)

    def start(
        self,
        user_id: str,
        session: ActiveSession,
        record: SessionRecord,
        sessions_max: int,
        viewers_max: int,
        debt_millipoints: int = 0,
    ) -> None:
        with self._store.lock:
            wallet = self._store.wallets.get(user_id)
            charge = session.charged_millipoints
            exact = charge < session.charge_millipoints and session.budget_millipoints > 0
            allowed = (
                wallet is not None
                and session.session_id not in wallet.sessions
                and record.session_id not in self._store.records
                and len(wallet.sessions) < sessions_max
                and len(wallet.journal) < JOURNAL_ENTRIES_MAX
                and wallet.balance_millipoints >= charge + debt_millipoints
                and (charge == 0 or wallet.debt_millipoints == debt_millipoints)
                and (charge == 0 or _within_cap(wallet, charge, session.started_at_ms))
                and (
                    not exact
                    or charge in (wallet.balance_millipoints - debt_millipoints, wallet.daily_left_millipoints)
                )
            )
            if wallet is None or not allowed:
                raise WalletRefused(wallet)
            if session.counted and self._store.places[session.stream_id] >= viewers_max:
                raise NoPlace(None)
            self._store.places[session.stream_id] += session.counted
            if debt_millipoints:
                paid = debt_entry(session.session_id, session.started_at_ms)
                wallet = self._apply(replace(wallet, debt_millipoints=0), paid, -debt_millipoints)
            entry = lease_entry(session.session_id, session.stream_id, session.seq, session.started_at_ms)
            self._apply(wallet, entry, -charge, {**wallet.sessions, session.session_id: session})
            self._store.records[record.session_id] = record

    def end(
        self,
        user_id: str,
        seen: ActiveSession,
        reason: EndReason,
        closing: Closing,
        now_ms: int,
        message: str | None = None,
    ) -> None:
        with self._store.lock:
            wallet, session = self._as_seen(user_id, seen)
            if len(wallet.journal) >= JOURNAL_ENTRIES_MAX + PAGE_ENTRIES:
                raise WalletRefused(wallet)
            others = {key: each for key, each in wallet.sessions.items() if key != seen.session_id}
            self._apply(wallet, end_entry(session, now_ms), closing.refund_millipoints, others)
            self._store.places[session.stream_id] -= session.counted
            self._store.records[seen.session_id] = replace(
                self._store.records[seen.session_id],
                ended_at_ms=now_ms,
                end_reason=reason,
                message=message,
                charged_millipoints=seen.charged_millipoints - closing.refund_millipoints,
                refunded_millipoints=closing.refund_millipoints,
                reserved_millipoints=closing.reserved_millipoints,
                budget_millipoints=seen.budget_millipoints + closing.refund_millipoints,
                in_outage=closing.in_outage,
                watched_ms=closing.watched_ms,
                granted_ms=seen.granted_ms,
                due_shard=0,
                due_ms=0,
            )

    def credit_outage(self, user_id: str, seen: ActiveSession, credit: OutageCredit, now_ms: int) -> Wallet:
        with self._store.lock:
            wallet, session = self._as_seen(user_id, seen)
            if len(wallet.journal) >= JOURNAL_ENTRIES_MAX + PAGE_ENTRIES:
                raise WalletRefused(wallet)
            credited = replace(
                session,
                charged_millipoints=session.charged_millipoints - credit.millipoints,
                budget_millipoints=session.budget_millipoints + credit.millipoints,
                free_from_ms=credit.free_from_ms,
                free_until_ms=credit.free_until_ms,
                outage_ms=credit.outage_ms,
            )
            entry = outage_entry(session, credit.outage_ms, now_ms)
            return self._apply(wallet, entry, credit.millipoints, {**wallet.sessions, session.session_id: credited})

    def settle(self, seen: Wallet, record: SessionRecord, written: SettlementWrite) -> bool:
        with self._store.lock:
            found = self._store.records[record.session_id]
            costs = [(each.charged_millipoints, each.adjusted_millipoints) for each in (found, record)]
            if found.settled_at_ms is not None or costs[0] != costs[1]:
                return False
            entry = written.entry(record)
            if entry is not None:
                self._settle(seen, entry, written)
            self._store.records[record.session_id] = replace(
                found,
                settled_at_ms=written.at_ms,
                settled_ms=written.settlement.media_ms,
                settled_millipoints=written.settlement.millipoints,
                settled_debt_millipoints=written.debt_millipoints,
                charged_millipoints=(found.charged_millipoints or 0) - written.delta_millipoints,
            )
            return True

    def _settle(self, seen: Wallet, entry: Entry, written: SettlementWrite) -> None:
        wallet, day, delta = self._store.wallets[seen.user_id], utc_day(written.at_ms), written.delta_millipoints
        credited = [credited_today_millipoints(each, written.at_ms) for each in (wallet, seen)]
        allowed = wallet.day >= day and len(wallet.journal) < JOURNAL_ENTRIES_MAX + PAGE_ENTRIES
        if entry.kind is EntryKind.UNSERVED_CREDIT:
            allowed = allowed and wallet.credit_day <= day and credited[0] == credited[1]
            allowed = allowed and wallet.balance_millipoints + delta <= MILLIPOINTS_MAX
        elif written.debt_millipoints:
            allowed = allowed and wallet.balance_millipoints == -delta and not wallet.debt_waived
        else:
            allowed = allowed and wallet.balance_millipoints >= -delta
        left, needed = wallet.daily_left_millipoints, written.day_millipoints
        if not allowed or (needed and left < needed) or (written.takes_rest and left > written.rest_millipoints):
            raise WalletRefused(wallet)
        new = self._apply(wallet, entry, delta)
        changes = {"daily_left_millipoints": wallet.daily_left_millipoints + written.settlement.millipoints}
        if delta > 0:
            changes |= {"credit_day": day, "credited_millipoints": credited[0] + written.credited_millipoints}
        debt = wallet.debt_millipoints + written.debt_millipoints
        self._store.wallets[seen.user_id] = replace(new, debt_millipoints=debt, **changes)

    def waive_debt(self, user_id: str) -> None:
        with self._store.lock:
            wallet = self._store.wallets.get(user_id)
            if wallet is not None:
                self._store.wallets[user_id] = replace(wallet, debt_millipoints=0, debt_waived=True)

    def begin_day(self, user_id: str, day: int) -> None:
        with self._store.lock:
            wallet = self._store.wallets.get(user_id)
            if wallet is not None and wallet.day < day:
                self._store.wallets[user_id] = replace(
                    wallet, day=day, daily_left_millipoints=wallet.daily_cap_millipoints
                )

    def set_daily_cap(self, seen: Wallet, cap_millipoints: int) -> bool:
        with self._store.lock:
            wallet = self._store.wallets[seen.user_id]
            if wallet.daily_cap_millipoints != seen.daily_cap_millipoints:
                return False
            left = wallet.daily_left_millipoints + cap_millipoints - wallet.daily_cap_millipoints
            self._store.wallets[seen.user_id] = replace(
                wallet, daily_cap_millipoints=cap_millipoints, daily_left_millipoints=left
            )
            return True

    def pay(self, payment: Payment, adjusted: SessionRecord | None = None) -> bool:
        with self._store.lock:
            if payment.payment_id in self._store.payments:
                return False
            record = self._store.records.get(adjusted.session_id) if adjusted else None
            if adjusted is not None:
                least, most = record.adjustable_millipoints if record else (0, 0)
                if record is None or record.active or not least <= payment.millipoints <= most:
                    raise BeyondCost(None)
            wallet = self._store.wallets.get(payment.user_id)
            if wallet is None or not 0 <= wallet.balance_millipoints + payment.millipoints <= MILLIPOINTS_MAX:
                raise WalletRefused(wallet)
            if len(wallet.journal) >= JOURNAL_ENTRIES_MAX + PAGE_ENTRIES:
                raise WalletRefused(wallet)
            self._apply(wallet, payment_entry(payment), payment.millipoints)
            self._store.payments[payment.payment_id] = payment
            self._store.count(payment.at_ms, totals_of_payment(payment))
            if record is not None:
                self._store.records[record.session_id] = replace(
                    record,
                    adjustments=record.adjustments + 1,
                    adjusted_millipoints=record.adjusted_millipoints + payment.millipoints,
                )
            return True

    def reverse(self, payment: Payment) -> bool:
        with self._store.lock:
            known = self._store.payments.get(payment.payment_id)
            if known is None or known.reversed_at_ms is not None:
                return False
            wallet, taken = self._store.wallets.get(payment.user_id), payment.reversed_millipoints or 0
            if wallet is None or wallet.balance_millipoints < taken:
                raise WalletRefused(wallet)
            if payment.shortfall_millipoints and wallet.balance_millipoints != taken:
                raise WalletRefused(wallet)
            if len(wallet.journal) >= JOURNAL_ENTRIES_MAX + PAGE_ENTRIES:
                raise WalletRefused(wallet)
            self._apply(wallet, reversal_entry(payment), -taken)
            self._store.payments[payment.payment_id] = payment
            self._store.count(payment.reversed_at_ms or 0, totals_of_reversal(payment))
            return True

    def trim(self, user_id: str, entry_ids: Sequence[str]) -> None:
        with self._store.lock:
            wallet = self._store.wallets.get(user_id)
            if wallet is not None:
                kept = tuple(entry for entry in wallet.journal if entry.entry_id not in entry_ids)
                self._store.wallets[user_id] = replace(wallet, journal=kept)

    def with_full_pages(self, limit: int) -> Sequence[Wallet]:
        return [each for each in self._store.wallets.values() if len(each.journal) >= PAGE_ENTRIES][:limit]

    def _seen(self, user_id: str, session_id: str) -> tuple[Wallet, ActiveSession]:
        wallet = self._store.wallets.get(user_id)
        if wallet is None or session_id not in wallet.sessions:
            raise WalletRefused(wallet)
        return wallet, wallet.sessions[session_id]

    def _as_seen(self, user_id: str, seen: ActiveSession) -> tuple[Wallet, ActiveSession]:
        wallet, session = self._seen(user_id, seen.session_id)
        now, then = ((each.seq, each.paid_until_ms, each.outage_ms) for each in (session, seen))
        if now != then:
            raise WalletRefused(wallet)
        return wallet, session

    def _bought(
        self,
        wallet: Wallet,
        session: ActiveSession,
        seq: int,
        purchase: Purchase,
        now_ms: int,
        outage_ms: int,
        *,
        is_priced: bool,
    ) -> Wallet:
        charge = purchase.charge_millipoints
        after = replace(
            session,
            seq=seq,
            paid_from_ms=purchase.paid_from_ms,
            paid_until_ms=purchase.paid_until_ms,
            charged_millipoints=session.charged_millipoints + charge,
            budget_millipoints=session.budget_millipoints - charge,
            granted_ms=session.granted_ms + purchase.granted_ms,
            free_from_ms=purchase.free_from_ms,
            free_until_ms=purchase.free_until_ms,
            outage_ms=outage_ms,
            **({"priced_seq": seq, "priced_millipoints": charge} if is_priced else {}),
        )
        kind = EntryKind.UNSERVED if purchase.outcome is Outcome.UNSERVED else EntryKind.LEASE
        entry = lease_entry(session.session_id, session.stream_id, seq, now_ms, kind)
        return self._apply(wallet, entry, -charge, {**wallet.sessions, session.session_id: after})

    def _apply(
        self, wallet: Wallet, entry: Entry, delta: int, sessions: Mapping[str, ActiveSession] | None = None
    ) -> Wallet:
        """Change the balance by an entry. With `sessions`, set the sessions and change the rest of the daily cap."""
        done = replace(entry, version=wallet.version + 1, delta_millipoints=delta)
        new = replace(
            wallet,
            balance_millipoints=wallet.balance_millipoints + delta,
            version=wallet.version + 1,
            daily_left_millipoints=wallet.daily_left_millipoints + (0 if sessions is None else delta),
            sessions=wallet.sessions if sessions is None else sessions,
            # A map, as the item has it: a key that recurs replaces what was there.
            journal=(*(each for each in wallet.journal if each.entry_id != done.entry_id), done),
        )
        self._store.wallets[wallet.user_id] = new
        return new


def _within_cap(wallet: Wallet, charge: int, now_ms: int) -> bool:
    return wallet.day >= utc_day(now_ms) and wallet.daily_left_millipoints >= charge
