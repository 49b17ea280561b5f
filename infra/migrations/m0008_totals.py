"""The table of money totals, and the payments and reconciled sessions from before, counted into it.

Rows are marked in the transactions that count them, so it may stop and run again at any time, also while the stage is
in use. Older functions do not count what they write: run it once more, `python -m infra.migrations.m0008_totals`, when
none of them runs any more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import config
from chalicelib.adapters.aws import TransactionRefused, client, translated
from chalicelib.adapters.dynamodb import from_row, known, parameters, transact
from chalicelib.adapters.money.dynamodb_reconciliation import TOTALS, to_reconciliation
from chalicelib.adapters.money.dynamodb_totals import count_totals
from chalicelib.config import Settings
from chalicelib.domain.money.totals import MoneyTotals, totals_of_payment, totals_of_reversal, totals_of_session
from chalicelib.domain.money.usage import day_of
from chalicelib.domain.money.wallets import Payment
from infra.migrations.tables import ensure_table

# A transaction has at most 100 parts: a mark for each row, and as many days.
ROWS_AT_ONCE = 45


@dataclass(frozen=True, kw_only=True)
class Uncounted:
    """A row that no total has: its key, the attribute that marks it, what must not change, its day, what it adds."""

    key: dict[str, str]
    mark: str
    seen: tuple[str, int]
    day: str
    totals: MoneyTotals


def apply(settings: Settings) -> None:
    """Create the table if it is missing, and count what is not counted."""
    with translated():
        ensure_table(settings.table_prefix, "totals")
    for table, uncounted in (
        ("reconciliation", _session),
        ("payments", _payment),
        ("payments", _reversal),
    ):
        _count_all(settings.table_prefix, table, uncounted)


def _session(row: dict[str, Any]) -> Uncounted | None:
    if row["day"] == TOTALS or "counted" in row:
        return None
    result = to_reconciliation(row)
    return Uncounted(
        key={"day": result.day, "session_id": result.session_id},
        mark="counted",
        seen=("reconciled_at_ms", result.reconciled_at_ms),
        day=result.day,
        totals=totals_of_session(result),
    )


def _payment(row: dict[str, Any]) -> Uncounted | None:
    if "counted" in row:
        return None
    payment = Payment(**known(Payment, row))
    return Uncounted(
        key={"payment_id": payment.payment_id},
        mark="counted",
        seen=("at_ms", payment.at_ms),
        day=day_of(payment.at_ms),
        totals=totals_of_payment(payment),
    )


def _reversal(row: dict[str, Any]) -> Uncounted | None:
    payment = Payment(**known(Payment, row))
    if payment.reversed_at_ms is None or "reversal_counted" in row:
        return None
    return Uncounted(
        key={"payment_id": payment.payment_id},
        mark="reversal_counted",
        seen=("reversed_at_ms", payment.reversed_at_ms),
        day=day_of(payment.reversed_at_ms),
        totals=totals_of_reversal(payment),
    )


def _count_all(prefix: str, table: str, uncounted: Callable[[dict[str, Any]], Uncounted | None]) -> None:
    found: list[Uncounted] = []
    for row in _rows(prefix + table):
        each = uncounted(row)
        found += [each] if each else []
        if len(found) == ROWS_AT_ONCE:
            _count(prefix, table, found)
            found = []
    _count(prefix, table, found)


def _rows(table: str) -> Iterator[dict[str, Any]]:
    position: dict[str, Any] = {}
    while True:
        with translated():
            page = client("dynamodb").scan(TableName=table, ConsistentRead=True, **position)
        yield from map(from_row, page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        position = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _count(prefix: str, table: str, found: Sequence[Uncounted]) -> None:
    """Count the rows and mark them, in one transaction. If one of them changed, count the others without it."""
    if not found:
        return
    days: dict[str, MoneyTotals] = {}
    for each in found:
        days[each.day] = days.get(each.day, MoneyTotals()).plus(each.totals)
    parts = [part for day, totals in days.items() for part in count_totals(prefix + "totals", day, totals)]
    try:
        transact(*(_marked(prefix + table, each) for each in found), *parts)
    except TransactionRefused as refusal:
        if "ConditionalCheckFailed" not in refusal.codes:
            raise
        # A function has replaced and counted it meanwhile.
        left = [each for each, code in zip(found, refusal.codes, strict=False) if code != "ConditionalCheckFailed"]
        _count(prefix, table, left)


def _marked(table: str, each: Uncounted) -> dict[str, Any]:
    name, value = each.seen
    return {
        "Update": parameters(
            table,
            key=each.key,
            update="SET #mark = :yes",
            condition="attribute_not_exists(#mark) AND #seen = :seen",
            names={"#mark": each.mark, "#seen": name},
            values={":yes": True, ":seen": value},
        )
    }


if __name__ == "__main__":
    apply(config.load())
