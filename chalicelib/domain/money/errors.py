"""Errors about money: leases, payments, adjustments and the ledger."""

from typing import Any

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Conflict, DomainError, NotFound


class PaymentNotFound(NotFound):
    """No such payment, or another caller made it."""

    code = "payment_not_found"


class PaymentMismatch(Conflict):
    """The payment id was used with other parameters. `extra["parameters"]` names those that differ."""

    code = "payment_mismatch"


class NotReversible(Conflict):
    """Only points that were added to a wallet can be taken back."""

    code = "payment_not_reversible"


class InsufficientBalance(Conflict):
    """The adjustment would take the balance below zero."""

    code = "insufficient_balance"


class AdjustmentOutOfBounds(Conflict):
    """The adjustments would give back more than the session cost, or less than nothing."""

    code = "adjustment_out_of_bounds"


class WalletFull(Conflict):
    """The top-up would exceed the maximum balance."""

    code = "wallet_full"


class LeaseNotPaid(Conflict):
    """A fresh play token was requested outside the paid lease."""

    code = "lease_not_paid"


class LedgerDamaged(DomainError):
    """The pages of a ledger do not match. Something else has written to them."""

    code = "ledger_damaged"


class DebtOpen(DomainError):
    """The wallet does not cover what earlier sessions were served ahead of their payment."""

    code = "debt_open"


class SessionOver(DomainError):
    """The session has ended. Its end reason is the code."""

    def __init__(self, reason: EndReason, **extra: Any) -> None:
        super().__init__(END_DETAILS[reason], **extra)
        self.reason = reason

    @property
    def code(self) -> str:  # type: ignore[override]
        """The end reason."""
        return self.reason.value


END_DETAILS = {
    EndReason.VIEWER_STOPPED: "The viewer stopped this session.",
    EndReason.BALANCE_EXHAUSTED: "The wallet is empty. Top it up to continue.",
    EndReason.MAX_POINTS_REACHED: "The session has spent its maximum number of points. Start a new one to continue.",
    EndReason.DAILY_CAP_REACHED: "The viewer's daily cap is reached. It resets at 00:00 UTC.",
    EndReason.KICKED: "An operator ended this session.",
    EndReason.LEASE_EXPIRED: "The lease has expired, and no heartbeat bought another one.",
    EndReason.STREAM_PAUSED: "The operator paused the stream.",
    EndReason.STREAM_STOPPED: "The operator stopped the stream.",
    EndReason.SUPERSEDED: "A newer session of the same viewer replaced this one.",
}
