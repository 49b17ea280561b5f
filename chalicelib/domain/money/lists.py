"""Filters of the lists of sessions and of payments."""

from dataclasses import dataclass

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Payment

# The greatest time that lists know: 13 digits, in the year 2286.
TIME_MS_MAX = 10**13 - 1


def is_within(at_ms: int, from_ms: int | None, to_ms: int | None) -> bool:
    """Return whether a time is at or after `from_ms`, and before `to_ms`."""
    return (from_ms or 0) <= at_ms and (to_ms is None or at_ms < to_ms)


@dataclass(frozen=True, kw_only=True)
class SessionFilter:
    """Which sessions are listed, newest first.

    Ended sessions of all streams and users are in the order of their ends, all others in the order of their starts.
    `from_ms` (included) and `to_ms` (not included) bound that time.
    """

    active: bool
    stream_id: str | None = None
    user_id: str | None = None
    end_reason: EndReason | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def is_by_end(self) -> bool:
        """Whether the list is in the order of ends."""
        return not self.active and self.stream_id is None and self.user_id is None

    def time_of(self, record: SessionRecord) -> int:
        """Return the time of a session by which the list is ordered."""
        return (record.ended_at_ms or 0) if self.is_by_end else record.started_at_ms

    def fits(self, record: SessionRecord) -> bool:
        """Return whether a session is listed."""
        return (
            record.active == self.active
            and self.stream_id in (None, record.stream_id)
            and self.user_id in (None, record.user_id)
            and self.end_reason in (None, record.end_reason)
            and is_within(self.time_of(record), self.from_ms, self.to_ms)
        )


@dataclass(frozen=True, kw_only=True)
class PaymentFilter:
    """Which payments are listed: newest first, or by id if `begins` alone chooses them.

    `begins` is how the payment id begins. `from_ms` is included, `to_ms` is not.
    """

    user_id: str | None = None
    source: str | None = None
    begins: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def is_by_id(self) -> bool:
        """Whether the list is in the order of payment ids."""
        return self.begins is not None and self.user_id is None

    def fits(self, payment: Payment) -> bool:
        """Return whether a payment is listed."""
        return (
            self.user_id in (None, payment.user_id)
            and self.source in (None, payment.source)
            and payment.payment_id.startswith(self.begins or "")
            and is_within(payment.at_ms, self.from_ms, self.to_ms)
        )
