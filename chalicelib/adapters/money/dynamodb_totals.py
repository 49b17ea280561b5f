"""Money totals in DynamoDB: a row for each UTC day and shard in the table `totals`, with the fields of `MoneyTotals`.

The transactions that write a payment, a reversal or the result of a session's reconciliation add to them, so they
cannot drift. They mark what they count: payments with `counted` and `reversal_counted`, results with `counted`. Rows
without a mark are older than the totals, and a migration counts them. The shard is chosen at random, so that payments
of the same moment rarely meet on one row.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from chalicelib.adapters.dynamodb import all_rows, from_row, known, parameters
from chalicelib.domain.money.totals import MoneyTotals, Step, period_of

SHARDS = 8
DAYS_PER_MONTH_MAX = 31


def count_totals(table: str, day: str, counted: MoneyTotals) -> list[dict[str, Any]]:
    """Return the part of a transaction that adds to a day's totals: none if there is nothing to add."""
    added = {name: value for name, value in vars(counted).items() if value}
    if not added:
        return []
    update = parameters(
        table,
        key={"month": period_of(Step.MONTH, day), "day_shard": f"{day}.{random.randrange(SHARDS)}"},
        update="ADD " + ", ".join(f"#{name} :{name}" for name in added),
        names={f"#{name}": name for name in added},
        values={f":{name}": value for name, value in added.items()},
    )
    return [{"Update": update}]


class DynamoTotalsByDay:
    """The port `TotalsByDay`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "totals"

    def of_month(self, month: str) -> Mapping[str, MoneyTotals]:
        request = parameters(
            self._table,
            KeyConditionExpression="#month = :month",
            names={"#month": "month"},
            values={":month": month},
            ConsistentRead=True,
        )
        totals: dict[str, MoneyTotals] = {}
        for row in map(from_row, all_rows("query", request, DAYS_PER_MONTH_MAX * SHARDS)):
            day, _, _ = row["day_shard"].partition(".")
            totals[day] = totals.get(day, MoneyTotals()).plus(MoneyTotals(**known(MoneyTotals, row)))
        return totals
