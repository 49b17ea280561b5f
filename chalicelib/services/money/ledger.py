"""Wallets, payments, and the ledger, which consists of journal and pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.domain.errors import Busy, UserNotFound, WrongCursor
from chalicelib.domain.money.chain import ChainState, initial_state, make_page, state_after
from chalicelib.domain.money.errors import (
    InsufficientBalance,
    LedgerDamaged,
    NotReversible,
    PaymentMismatch,
    PaymentNotFound,
    WalletFull,
)
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import (
    JOURNAL_ENTRIES_MAX,
    MS_PER_DAY,
    NO_DAILY_CAP,
    OPERATOR_SOURCE,
    PAGE_ENTRIES,
    Entry,
    EntryKind,
    Payment,
    Wallet,
    full_pages,
    reversed_payment,
    spent_today_millipoints,
    utc_day,
)
from chalicelib.ports.common import Clock, ListPage, StoreUnavailable
from chalicelib.ports.money.money import BeyondCost, Ledger, Payments, WalletRefused, Wallets

TRIES_MAX = 8
# A repeated payment must have the same of these.
PARAMETERS = ("user_id", "millipoints", "session_id", "source", "note")
# A journal this long holds a page that the change completing it did not move; the next change moves it.
OVERDUE_ENTRIES = 2 * PAGE_ENTRIES
CATCH_UP_WALLETS_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Today:
    """What a wallet has spent on the current UTC day, and when that day ends."""

    spent_millipoints: int
    ends_at_ms: int


class LedgerService:
    """Credits wallets, moves journals to pages, and reads both as one."""

    def __init__(self, wallets: Wallets, ledger: Ledger, payments: Payments, clock: Clock) -> None:
        self._wallets = wallets
        self._ledger = ledger
        self._payments = payments
        self._clock = clock

    def wallet(self, user_id: str) -> Wallet:
        """Return the wallet. Raise `UserNotFound`."""
        wallet = self._wallets.get(user_id)
        if wallet is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return wallet

    def today(self, wallet: Wallet) -> Today:
        """Return what the wallet has spent today."""
        now_ms = self._clock.now_ms()
        spent, ends_at_ms = spent_today_millipoints(wallet, now_ms), (utc_day(now_ms) + 1) * MS_PER_DAY
        return Today(spent_millipoints=spent, ends_at_ms=ends_at_ms)

    def credit(
        self,
        *,
        user_id: str,
        millipoints: int,
        payment_id: str,
        note: str,
        by_user_id: str,
        source: str = OPERATOR_SOURCE,
        session: SessionRecord | None = None,
    ) -> Wallet:
        """Add to a wallet (or, negative, take from it) exactly once by `payment_id`. Return the wallet afterwards.

        With an ended session of the same user, it is an adjustment of that session's cost. Raise `UserNotFound`,
        `InsufficientBalance`, `PaymentMismatch` (the id was used for something else), `Busy`; for an adjustment,
        `BeyondCost`.
        """
        payment = Payment(
            payment_id=payment_id,
            user_id=user_id,
            millipoints=millipoints,
            note=note,
            by_user_id=by_user_id,
            at_ms=self._clock.now_ms(),
            source=source,
            session_id=session.session_id if session else None,
            stream_id=session.stream_id if session else None,
        )
        for _ in range(TRIES_MAX):
            try:
                if not self._wallets.pay(payment, session):
                    self._check_same(payment)
                wallet = self.wallet(user_id)
                self.flush_if_due(wallet)
                return wallet
            except BeyondCost:
                raise
            except WalletRefused:
                wallet = self.wallet(user_id)
                if wallet.balance_millipoints + millipoints > MILLIPOINTS_MAX:
                    raise WalletFull(f"A wallet holds at most {MILLIPOINTS_MAX} millipoints.") from None
                if wallet.balance_millipoints + millipoints < 0:
                    raise InsufficientBalance(
                        f"The wallet holds {wallet.balance_millipoints} millipoints, less than {-millipoints}.",
                        balance_millipoints=wallet.balance_millipoints,
                    ) from None
                self.make_room(wallet)
        raise Busy("The wallet was busy at every try. Nothing was credited. Try again.")

    def _check_same(self, payment: Payment) -> None:
        applied = self._payments.get(payment.payment_id)
        names = [name for name in PARAMETERS if getattr(applied, name) != getattr(payment, name)] if applied else []
        if names:
            raise PaymentMismatch(
                f"The payment id {payment.payment_id} was used with other values of {' and '.join(names)}."
                " Nothing was changed. Use a new id for another payment.",
                parameters=names,
            )

    def payment(self, payment_id: str) -> Payment:
        """Return a payment. Raise `PaymentNotFound`."""
        payment = self._payments.get(payment_id)
        if payment is None:
            raise PaymentNotFound(f"There is no payment {payment_id}.")
        return payment

    def reverse(self, payment: Payment, *, by_user_id: str, note: str) -> Payment:
        """Take a top-up back from its wallet, at most what that holds, exactly once. Return it as reversed.

        A second call changes nothing and returns the first reversal. Raise `NotReversible` for a payment that is no
        top-up, `PaymentNotFound` or `Busy`.
        """
        if payment.kind is not EntryKind.CREDIT:
            what = "an adjustment of a session" if payment.session_id else "a payment that removed points"
            raise NotReversible(f"{payment.payment_id} is {what}. Only points that were added can be taken back.")
        if payment.reversed_at_ms is not None:
            return payment
        for _ in range(TRIES_MAX):
            balance = self.wallet(payment.user_id).balance_millipoints
            new = reversed_payment(payment, balance, self._clock.now_ms(), by_user_id, note)
            try:
                done = self._wallets.reverse(new)
            except WalletRefused:
                self.make_room(self.wallet(payment.user_id))
                continue
            self.flush_if_due(self.wallet(payment.user_id))
            # Not done: another call was first, or the response of this one was lost.
            return new if done else self.payment(payment.payment_id)
        raise Busy("The wallet was busy at every try. Nothing was reversed. Try again.")

    def set_daily_cap(self, user_id: str, cap_millipoints: int | None) -> Wallet:
        """Set what the user's sessions may spend on a UTC day; None for no cap. Return the wallet afterwards.

        What was spent today stays spent. Raise `UserNotFound` or `Busy`.
        """
        for _ in range(TRIES_MAX):
            wallet = self.wallet(user_id)
            self._wallets.begin_day(user_id, utc_day(self._clock.now_ms()))
            if self._wallets.set_daily_cap(wallet, NO_DAILY_CAP if cap_millipoints is None else cap_millipoints):
                return self.wallet(user_id)
        raise Busy("The wallet was busy at every try. The cap was not changed. Try again.")

    def entries(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[Entry]:
        """Return changes of a wallet, newest first, complete at every time.

        The wallet is read before the pages. In the other order, a page written and trimmed in between would be missed.
        """
        wallet = self.wallet(user_id)
        before = wallet.version + 1 if cursor is None else min(version_of(cursor), wallet.version + 1)
        pages = self._ledger.pages(user_id, up_to_version=before - 1, limit=limit // PAGE_ENTRIES + 2)
        by_version = {entry.version: entry for page in pages for entry in page.entries}
        by_version |= {entry.version: entry for entry in wallet.journal}
        items = [by_version[version] for version in sorted(by_version, reverse=True) if version < before][:limit]
        more = bool(items) and items[-1].version > 1
        return ListPage(items=items, next_cursor=str(items[-1].version) if more else None)

    def flush_if_due(self, wallet: Wallet) -> None:
        """Move full pages if this change completed one, or if one was missed.

        Only the process whose change completed a page moves it, so processes do not all move it at once. A failure does
        not fail the change: the entries stay in the journal, and the next change moves them.
        """
        if wallet.version % PAGE_ENTRIES and len(wallet.journal) < OVERDUE_ENTRIES:
            return
        try:
            self.flush(wallet)
        except (StoreUnavailable, LedgerDamaged):
            # The schedule and every statement report a damaged ledger.
            return

    def make_room(self, wallet: Wallet) -> None:
        """Move full pages of a journal that is at its cap."""
        if len(wallet.journal) >= JOURNAL_ENTRIES_MAX:
            self.flush(wallet)

    def flush(self, wallet: Wallet) -> int:
        """Move all full pages and return how many. Always write the pages before the trim."""
        pages = full_pages(wallet.journal)
        state: ChainState | None = None
        for entries in pages:
            if state is None or state.version != entries[0].version - 1:
                state = self.state_before(wallet.user_id, entries[0].version)
            page = make_page(state, entries)
            self._ledger.put_page(wallet.user_id, page)
            state = state_after(page)
        if pages:
            self._wallets.trim(wallet.user_id, [entry.entry_id for entries in pages for entry in entries])
        return len(pages)

    def state_before(self, user_id: str, first_version: int) -> ChainState:
        """Return the ledger's state before a page. Raise `LedgerDamaged` if the page before is missing.

        That cannot happen normally: entries leave the journal after their page was written, oldest first.
        """
        if first_version == 1:
            return initial_state(user_id)
        before = self._ledger.pages(user_id, up_to_version=first_version - 1, limit=1)
        if not before or before[0].first_version != first_version - PAGE_ENTRIES:
            raise LedgerDamaged(f"The ledger of {user_id} has no page before version {first_version}.")
        return state_after(before[0])

    def catch_up(self, report_behind: Callable[[int], None] = lambda pages: None) -> int:
        """Move pages that heartbeats have missed, and return how many. For the schedule.

        A damaged ledger does not delay other wallets; `LedgerDamaged` is raised at the end. `report_behind` gets the
        number of pages that were found and could not be moved.
        """
        found: Sequence[Wallet] = self._wallets.with_full_pages(CATCH_UP_WALLETS_MAX)
        moved, behind, damaged = 0, 0, None
        for wallet in found:
            try:
                moved += self.flush(wallet)
            except LedgerDamaged as error:
                behind += len(full_pages(wallet.journal))
                damaged = error
        report_behind(behind)
        if damaged is not None:
            raise damaged
        return moved


def version_of(cursor: str) -> int:
    """Return the version in a list's cursor. Raise `WrongCursor` for any other text."""
    if not cursor.isascii() or not cursor.isdecimal() or not 0 < int(cursor[:16]) <= 10**15:
        raise WrongCursor
    return int(cursor[:16])
