"""Reversal of payments, as after a chargeback: points come back from the wallet, and the account may be disabled."""

from chalicelib.domain.accounts.users import STAFF
from chalicelib.domain.errors import Conflict
from chalicelib.domain.money.errors import NotReversible, PaymentNotFound
from chalicelib.domain.money.wallets import REVERSAL_PREFIX, EntryKind, Payment
from chalicelib.domain.operations.audit import Actor, reversal_action
from chalicelib.ports.accounts.identity import Users
from chalicelib.services.accounts.accounts import Accounts
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.operations.audit import Audit


class Chargebacks:
    """Finds and reverses payments. A service key reaches those that it made itself."""

    def __init__(self, *, ledger: LedgerService, users: Users, accounts: Accounts, audit: Audit) -> None:
        self._ledger = ledger
        self._users = users
        self._accounts = accounts
        self._audit = audit

    def find(self, payment_id: str, *, by: Actor) -> Payment:
        """Return a payment. Raise `PaymentNotFound`, also for a key that did not make it."""
        payment = self._ledger.payment(payment_id)
        if by.is_key and payment.by_user_id != by.user_id:
            raise PaymentNotFound(f"There is no payment {payment_id} that this key made.")
        return payment

    def reverse(self, payment_id: str, *, disable_account: bool, note: str, by: Actor) -> Payment:
        """Take a payment back, at most what the wallet holds, and return it as reversed.

        With `disable_account` the account is disabled first: that ends its sessions, whose refunds then count as well.
        Each step may be repeated, and the reversal itself happens once. Raise `PaymentNotFound`, `NotReversible`,
        `Conflict` (the account of an operator) or `Busy`.
        """
        if payment_id.startswith(REVERSAL_PREFIX):
            raise NotReversible("A reversal cannot be reversed. Credit the wallet with a new payment_id instead.")
        payment = self.find(payment_id, by=by)
        if disable_account and payment.kind is EntryKind.CREDIT:
            self._disable(payment.user_id, by)
        done = self._ledger.reverse(payment, by_user_id=by.user_id, note=note)
        self._audit.record(by, reversal_action(done, disable_account))
        return done

    def _disable(self, user_id: str, by: Actor) -> None:
        user = self._users.get(user_id)
        if user is None:
            # An erased account cannot log in any more.
            return
        if user.role in STAFF:
            # A stolen key could lock every operator out.
            raise Conflict("This is an operator's account. Repeat it without disable_account, and look at the account.")
        self._accounts.change(user_id, disabled=True, by=by)
