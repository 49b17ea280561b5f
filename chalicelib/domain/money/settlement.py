"""The rules of settlement: an ended session costs what it was served, in both directions.

docs/billing.md, "Settlement", explains them. The gateways' logs say what was served, the ledger what was paid. Media
that was served ahead of its payment is charged, and what was paid and not served comes back, both to the millisecond.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import allowance_ms
from chalicelib.domain.money.points import MS_PER_MINUTE, lease_charge
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import Entry, EntryKind, Wallet, daily_left_millipoints, settled_entry_id

# The viewer's own ends. After all others, what was fetched ahead is not charged: the viewer did not choose to stop.
VIEWERS_OWN = frozenset(
    {
        EndReason.VIEWER_STOPPED,
        EndReason.SUPERSEDED,
        EndReason.LEASE_EXPIRED,
        EndReason.BALANCE_EXHAUSTED,
        EndReason.MAX_POINTS_REACHED,
        EndReason.DAILY_CAP_REACHED,
    }
)


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What is due for an ended session. `media_ms` is served (positive) or unserved (negative) and not paid.

    `millipoints` is signed like a ledger's delta: negative is a charge. Both are 0 if nothing is due; `millipoints` is
    less than `media_ms` costs if a credit is withheld.
    """

    media_ms: int = 0
    millipoints: int = 0


@dataclass(frozen=True, kw_only=True)
class SettlementWrite:
    """A settlement as it is written: what the balance pays or gets, and what becomes debt.

    A charge needs `day_millipoints` of the day's rest beside its allowance. With `takes_rest` it is cut, since no more
    than `rest_millipoints` were left of the day.
    Of a credit, `credited_millipoints` are more than the reserve and count to the stage's daily maximum.
    """

    at_ms: int
    settlement: Settlement
    delta_millipoints: int = 0
    debt_millipoints: int = 0
    day_millipoints: int = 0
    takes_rest: bool = False
    rest_millipoints: int = 0
    credited_millipoints: int = 0

    def entry(self, record: SessionRecord) -> Entry | None:
        """Return the ledger's entry, None if nothing is due."""
        if self.settlement.millipoints == 0:
            return None
        return Entry(
            entry_id=settled_entry_id(record.session_id),
            kind=EntryKind.SERVED_AHEAD if self.settlement.millipoints < 0 else EntryKind.UNSERVED_CREDIT,
            at_ms=self.at_ms,
            session_id=record.session_id,
            stream_id=record.stream_id,
        )


def awaits_settlement(record: SessionRecord) -> bool:
    """Return whether a session has a settlement to come. Previews and free streams have none."""
    priced = record.kind is SessionKind.VIEWING and record.rate_millipoints_per_minute > 0
    return priced and record.reserved_millipoints is not None and record.settled_at_ms is None


def settlement_of(record: SessionRecord, entries: Sequence[Entry], served: Served) -> Settlement:
    """Return the settlement of a measured session, before its bound by the day's cap (`charge_of`).

    `entries` are the session's lines in the ledger; adjustments count for the bound of a credit only.
    """
    rate = record.rate_millipoints_per_minute
    amounts = {kind: sum(e.delta_millipoints for e in entries if e.kind is kind) for kind in EntryKind}
    credited = amounts[EntryKind.OUTAGE_CREDIT]
    paid = -amounts[EntryKind.LEASE] - amounts[EntryKind.REFUND] - credited
    paid_ms = paid * MS_PER_MINUTE // rate
    # Time granted or credited for outages may have been served after all.
    free_ms = credited * MS_PER_MINUTE // rate
    free_ms += record.lease_ms * sum(entry.kind is EntryKind.UNSERVED for entry in entries)
    ahead_ms = served.media_ms - paid_ms - free_ms
    short_ms = paid_ms - served.media_ms
    if ahead_ms > 0 and record.end_reason in VIEWERS_OWN and not record.in_outage:
        most = record.budget_millipoints + allowance_millipoints(record)
        charge = min(rate * ahead_ms // MS_PER_MINUTE, most)
        return Settlement(media_ms=ahead_ms, millipoints=-charge) if charge else Settlement()
    if short_ms > 0:
        credit = min(rate * short_ms // MS_PER_MINUTE, max(0, paid - record.adjusted_millipoints))
        return Settlement(media_ms=-short_ms, millipoints=credit) if credit else Settlement()
    return Settlement()


def returned_reserve(record: SessionRecord) -> Settlement:
    """Return the settlement of a session that cannot be measured: its reserve comes back, and nothing else."""
    cost = (record.charged_millipoints or 0) - record.adjusted_millipoints
    return Settlement(millipoints=max(0, min(record.reserved_millipoints or 0, cost)))


def credit_of(
    record: SessionRecord, settlement: Settlement, now_ms: int, *, allowed_millipoints: int
) -> SettlementWrite:
    """Return the write of a credit. A credit of more than is allowed is withheld, but never the reserve.

    The reserve is no credit: the end kept it until it is known to be fetched.
    """
    reserve = record.reserved_millipoints or 0
    beyond = max(0, settlement.millipoints - reserve)
    if beyond > allowed_millipoints:
        settlement, beyond = Settlement(media_ms=settlement.media_ms, millipoints=reserve), 0
    return SettlementWrite(
        at_ms=now_ms,
        settlement=settlement,
        delta_millipoints=settlement.millipoints,
        credited_millipoints=beyond,
    )


def charge_of(record: SessionRecord, settlement: Settlement, wallet: Wallet, now_ms: int) -> SettlementWrite:
    """Return the write of a charge. It may pass the day's cap by the allowance; debt is what the balance cannot pay.

    What the end gave back may be charged again, whatever the cap is by then: it allowed the leases. Or a viewer could
    fetch a lease of a minute, stop, and lower the cap. An erased account gets no debt, so its balance pays what it can.
    """
    allowance, given_back = allowance_millipoints(record), record.refunded_millipoints or 0
    rest = max(given_back, daily_left_millipoints(wallet, now_ms))
    most = rest + allowance
    charge = min(-settlement.millipoints, most)
    from_balance = min(charge, wallet.balance_millipoints)
    if wallet.debt_waived:
        charge = from_balance
    return SettlementWrite(
        at_ms=now_ms,
        settlement=Settlement(media_ms=settlement.media_ms, millipoints=-charge),
        delta_millipoints=-from_balance,
        debt_millipoints=charge - from_balance,
        day_millipoints=charge - allowance if charge - allowance > given_back else 0,
        takes_rest=charge == most < -settlement.millipoints,
        rest_millipoints=rest,
    )


def allowance_millipoints(record: SessionRecord) -> int:
    """Return the price of a session's allowance: how far a settlement may pass its `max_points` or the day's cap."""
    return lease_charge(record.rate_millipoints_per_minute, allowance_ms(record.granted_ms or 0))
