"""Payments and adjustments that operators and service keys make, each with an audit entry."""

from contextlib import suppress
from typing import TypedDict, Unpack

from chalicelib.domain.errors import Invalid, UserNotFound
from chalicelib.domain.money.errors import PaymentNotFound
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.wallets import OPERATOR_SOURCE, Wallet
from chalicelib.domain.operations.audit import Action, Actor, Values
from chalicelib.ports.identity import Users
from chalicelib.ports.money import PlaybackSessions
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
        reconciliation: Reconciliation,
        sessions: PlaybackSessions,
        users: Users,
        audit: Audit,
    ) -> None:
        self._ledger = ledger
        self._reconciliation = reconciliation
        self._sessions = sessions
        self._users = users
        self._audit = audit

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
