"""Payments and adjustments that operators and service keys make, each with an audit entry."""

from contextlib import suppress
from typing import TypedDict, Unpack

from chalicelib.domain.errors import Invalid, UserNotFound
from chalicelib.domain.money.errors import PaymentNotFound
from chalicelib.domain.money.lists import PaymentFilter
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.wallets import NO_DAILY_CAP, OPERATOR_SOURCE, Payment, Wallet
from chalicelib.domain.operations.audit import Action, Actor, Values
from chalicelib.ports.accounts.identity import Users
from chalicelib.ports.common import Clock, ListPage
from chalicelib.ports.money.lists import PaymentLists
from chalicelib.ports.money.money import PlaybackSessions
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.reconciliation import Reconciliation
from chalicelib.services.operations.audit import Audit


class Points(TypedDict):
    """What is added to a wallet or, negative, removed: exactly once by `payment_id`."""

    millipoints: int
    payment_id: str
    note: str


class PaymentsService:
    """Credits wallets and adjusts sessions."""

    def __init__(
        self,
        *,
        ledger: LedgerService,
        lists: PaymentLists,
        reconciliation: Reconciliation,
        sessions: PlaybackSessions,
        users: Users,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._lists = lists
        self._reconciliation = reconciliation
        self._sessions = sessions
        self._users = users
        self._audit = audit
        self._clock = clock

    def listing(self, wanted: PaymentFilter, *, limit: int, cursor: str | None) -> ListPage[Payment]:
        """Return payments: newest first, or by id where only the beginning of the id is given."""
        return self._lists.page(wanted, self._clock.now_ms(), limit=limit, cursor=cursor)

    def credit(self, user_id: str, *, by: Actor, source: str = OPERATOR_SOURCE, **points: Unpack[Points]) -> Wallet:
        """Credit a wallet, and return it. A service key only adds points.

        Raise `Invalid`, and what `LedgerService.credit` raises.
        """
        if by.is_key and points["millipoints"] < 1:
            raise Invalid.field("millipoints", f"must be from 1 to {MILLIPOINTS_MAX} for a service key")
        before = self._ledger.wallet(user_id)
        if points["millipoints"] > 0 and self._users.get(user_id) is None:
            self._check_known(user_id, points["payment_id"])
        wallet = self._ledger.credit(user_id=user_id, by_user_id=by.user_id, source=source, **points)
        self._record(by, "wallet.credit", user_id, before, wallet, {**points, "source": source})
        return wallet

    def _check_known(self, user_id: str, payment_id: str) -> None:
        """Raise `UserNotFound` for a new payment to an erased account, whose wallet stays."""
        with suppress(PaymentNotFound):
            self._ledger.payment(payment_id)
            return
        raise UserNotFound(f"The account {user_id} was erased, so no one could spend the points. Nothing was changed.")

    def adjust(self, session_id: str, *, by: Actor, **points: Unpack[Points]) -> Wallet:
        """Adjust the cost of a session, and return the wallet. Raise what `Reconciliation.adjust` raises."""
        record = self._sessions.get(session_id)
        before = self._ledger.wallet(record.user_id) if record else None
        wallet = self._reconciliation.adjust(session_id, by_user_id=by.user_id, **points)
        self._record(by, "session.adjust", session_id, before, wallet, points)
        return wallet

    def set_daily_cap(self, user_id: str, cap_millipoints: int | None, *, by: Actor) -> Wallet:
        """Set or remove (None) a user's daily cap, and return the wallet. Raise `UserNotFound` or `Busy`."""
        before = self._ledger.wallet(user_id)
        wallet = self._ledger.set_daily_cap(user_id, cap_millipoints)
        caps = [None if each == NO_DAILY_CAP else each for each in (before.daily_cap_millipoints, cap_millipoints)]
        was, now = ({"daily_cap_millipoints": each} for each in caps)
        self._audit.record(by, Action(name="wallet.cap", target=user_id, user_id=user_id, before=was, after=now))
        return wallet

    def _record(self, by: Actor, name: str, target: str, before: Wallet | None, after: Wallet, points: Values) -> None:
        """Audit a payment. A repeated payment leaves the balance as it was, which the entry shows."""
        action = Action(
            name=name,
            target=target,
            user_id=after.user_id,
            before={"balance_millipoints": before.balance_millipoints} if before else {},
            after={"balance_millipoints": after.balance_millipoints},
            details=points,
        )
        self._audit.record(by, action)
