"""Wallets, ledger, payments and session records in memory, under the same conditions as DynamoDB's adapters."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.lease import Outcome, Purchase, Settlement, buy_from_ms
from chalicelib.domain.points import MILLIPOINTS_MAX
from chalicelib.domain.reconciliation import RECONCILE_AFTER_MS
from chalicelib.domain.sessions import DUE_SHARDS, ActiveSession, EndReason, SessionRecord
from chalicelib.domain.wallets import (
    JOURNAL_ENTRIES_MAX,
    PAGE_ENTRIES,
    Entry,
    EntryKind,
    Page,
    Payment,
    Wallet,
    end_entry_id,
    lease_entry_id,
    payment_entry_id,
)
from chalicelib.ports import ListPage, WalletRefused


class MemoryStore:
    """The tables that billing touches, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wallets: dict[str, Wallet] = {}
        self.records: dict[str, SessionRecord] = {}
        self.payments: dict[str, Payment] = {}
        self.pages: dict[tuple[str, int], Page] = {}
        # session -> its shard, and when it is due to be reconciled
        self.reconcile_at: dict[str, tuple[int, int]] = {}


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

    def buy_on_time(self, user_id: str, session_id: str, seq: int, now_ms: int) -> Wallet:
        with self._store.lock:
            wallet, session = self._seen(user_id, session_id)
            until_ms = session.paid_until_ms
            allowed = (
                session.seq < seq
                and buy_from_ms(session) <= now_ms <= until_ms
                and wallet.balance_millipoints >= session.charge_millipoints <= session.budget_millipoints
                and len(wallet.journal) < JOURNAL_ENTRIES_MAX
            )
            if not allowed:
                raise WalletRefused(wallet)
            purchase = Purchase(
                outcome=Outcome.ON_TIME,
                charge_millipoints=session.charge_millipoints,
                granted_ms=session.lease_ms,
                paid_until_ms=until_ms + session.lease_ms,
                free_from_ms=session.free_from_ms,
                free_until_ms=session.free_until_ms,
            )
            return self._bought(wallet, session, seq, purchase, now_ms)

    def buy(self, user_id: str, seen: ActiveSession, seq: int, purchase: Purchase, now_ms: int) -> Wallet:
        with self._store.lock:
            wallet, session = self._seen(user_id, seen.session_id)
            charge, budget = purchase.charge_millipoints, session.budget_millipoints
            allowed = (
                (session.seq, session.paid_until_ms) == (seen.seq, seen.paid_until_ms)
                and wallet.balance_millipoints >= charge <= budget
                and len(wallet.journal) < JOURNAL_ENTRIES_MAX
                and (purchase.outcome is not Outcome.POOR or charge in (wallet.balance_millipoints, budget))
            )
            if not allowed:
                raise WalletRefused(wallet)
            return self._bought(wallet, session, seq, purchase, now_ms)

    def start(self, user_id: str, session: ActiveSession, record: SessionRecord, sessions_max: int) -> None:
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
                and (wallet.balance_millipoints == charge if exact else wallet.balance_millipoints >= charge)
            )
            if wallet is None or not allowed:
                raise WalletRefused(wallet)
            entry = Entry(
                entry_id=lease_entry_id(session.session_id, session.seq),
                kind=EntryKind.LEASE,
                at_ms=session.started_at_ms,
                session_id=session.session_id,
                seq=session.seq,
            )
            self._apply(replace(wallet, sessions={**wallet.sessions, session.session_id: session}), entry, -charge)
            self._store.records[record.session_id] = record

    def end(self, user_id: str, seen: ActiveSession, reason: EndReason, settlement: Settlement, now_ms: int) -> None:
        with self._store.lock:
            wallet, session = self._seen(user_id, seen.session_id)
            if (session.seq, session.paid_until_ms) != (seen.seq, seen.paid_until_ms):
                raise WalletRefused(wallet)
            if len(wallet.journal) >= JOURNAL_ENTRIES_MAX + PAGE_ENTRIES:
                raise WalletRefused(wallet)
            rest = {key: each for key, each in wallet.sessions.items() if key != seen.session_id}
            entry = Entry(
                entry_id=end_entry_id(seen.session_id), kind=EntryKind.REFUND, at_ms=now_ms, session_id=seen.session_id
            )
            self._apply(replace(wallet, sessions=rest), entry, settlement.refund_millipoints)
            due_shard = self._store.records[seen.session_id].due_shard
            self._store.reconcile_at[seen.session_id] = (due_shard, now_ms + RECONCILE_AFTER_MS)
            self._store.records[seen.session_id] = replace(
                self._store.records[seen.session_id],
                ended_at_ms=now_ms,
                end_reason=reason,
                charged_millipoints=seen.charged_millipoints - settlement.refund_millipoints,
                refunded_millipoints=settlement.refund_millipoints,
                watched_ms=settlement.watched_ms,
                granted_ms=seen.granted_ms,
                due_shard=0,
                due_ms=0,
            )

    def pay(self, payment: Payment) -> bool:
        with self._store.lock:
            if payment.payment_id in self._store.payments:
                return False
            wallet = self._store.wallets.get(payment.user_id)
            if wallet is None or not 0 <= wallet.balance_millipoints + payment.millipoints <= MILLIPOINTS_MAX:
                raise WalletRefused(wallet)
            if len(wallet.journal) >= JOURNAL_ENTRIES_MAX + PAGE_ENTRIES:
                raise WalletRefused(wallet)
            entry = Entry(
                entry_id=payment_entry_id(payment.payment_id),
                kind=payment.kind,
                at_ms=payment.at_ms,
                session_id=payment.session_id,
                payment_id=payment.payment_id,
                note=payment.note,
            )
            self._apply(wallet, entry, payment.millipoints)
            self._store.payments[payment.payment_id] = payment
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

    def _bought(self, wallet: Wallet, session: ActiveSession, seq: int, purchase: Purchase, now_ms: int) -> Wallet:
        charge = purchase.charge_millipoints
        after = replace(
            session,
            seq=seq,
            paid_until_ms=purchase.paid_until_ms,
            charged_millipoints=session.charged_millipoints + charge,
            budget_millipoints=session.budget_millipoints - charge,
            granted_ms=session.granted_ms + purchase.granted_ms,
            free_from_ms=purchase.free_from_ms,
            free_until_ms=purchase.free_until_ms,
        )
        entry = Entry(
            entry_id=lease_entry_id(session.session_id, seq),
            kind=EntryKind.UNSERVED if purchase.outcome is Outcome.UNSERVED else EntryKind.LEASE,
            at_ms=now_ms,
            session_id=session.session_id,
            seq=seq,
        )
        return self._apply(replace(wallet, sessions={**wallet.sessions, session.session_id: after}), entry, -charge)

    def _apply(self, wallet: Wallet, entry: Entry, delta: int) -> Wallet:
        done = replace(entry, version=wallet.version + 1, delta_millipoints=delta)
        new = replace(
            wallet,
            balance_millipoints=wallet.balance_millipoints + delta,
            version=wallet.version + 1,
            journal=(*wallet.journal, done),
        )
        self._store.wallets[wallet.user_id] = new
        return new


class MemoryLedger:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def put_page(self, user_id: str, page: Page) -> None:
        self._store.pages[user_id, page.first_version] = page

    def pages(self, user_id: str, *, up_to_version: int, limit: int) -> Sequence[Page]:
        found = [
            page for (user, first), page in self._store.pages.items() if user == user_id and first <= up_to_version
        ]
        return sorted(found, key=lambda page: -page.first_version)[:limit]


class MemoryPayments:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, payment_id: str) -> Payment | None:
        return self._store.payments.get(payment_id)


class MemoryPlaybackSessions:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, session_id: str) -> SessionRecord | None:
        return self._store.records.get(session_id)

    def by_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.user_id == user_id], limit, cursor)

    def by_stream(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.stream_id == stream_id], limit, cursor)

    def active(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.stream_id == stream_id and r.active], limit, cursor)

    def all_active(self, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.active], limit, cursor)

    def count_active(self) -> int:
        return sum(record.active for record in self._all())

    def due(self, shard: int, now_ms: int, limit: int) -> Sequence[SessionRecord]:
        assert 0 <= shard < DUE_SHARDS
        found = [r for r in self._all() if r.active and r.due_shard == shard and r.due_ms <= now_ms]
        return sorted(found, key=lambda record: record.due_ms)[:limit]

    def rearm(self, session_id: str, due_ms: int) -> None:
        record = self._store.records.get(session_id)
        if record is not None and record.active:
            self._store.records[session_id] = replace(record, due_ms=due_ms)

    def _all(self) -> list[SessionRecord]:
        return sorted(self._store.records.values(), key=lambda record: -record.started_at_ms)

    def _page(self, found: list[SessionRecord], limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        first = int(cursor or 0)
        more = first + limit < len(found)
        return ListPage(items=found[first : first + limit], next_cursor=str(first + limit) if more else None)
