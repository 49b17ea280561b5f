"""Runs of the canary: rows of the table `series` with the series_id `canary`, whose slot is the time of the run."""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import call, page_of, parameters
from chalicelib.domain.operations.canary import KEPT_DAYS, CanaryRun
from chalicelib.ports.common import ListPage

CANARY = "canary"
KEPT_S = KEPT_DAYS * 24 * 3600


class DynamoCanaryRuns:
    """The port `CanaryRuns`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "series"

    def add(self, run: CanaryRun) -> None:
        item = {
            "series_id": CANARY,
            "first_slot": run.at_ms,
            "steps_ms": list(run.steps_ms),
            "failure": run.failure,
            "expires_at_s": run.at_ms // 1000 + KEPT_S,
        }
        call("put_item", self._table, item={name: value for name, value in item.items() if value is not None})

    def page(self, *, limit: int, cursor: str | None) -> ListPage[CanaryRun]:
        request = parameters(
            self._table,
            KeyConditionExpression="series_id = :id",
            values={":id": CANARY},
            ScanIndexForward=False,
            Limit=limit,
        )
        within = {"series_id": CANARY}
        return page_of("query", request, cursor, _run, position=("series_id", "first_slot"), within=within)


def _run(row: dict[str, Any]) -> CanaryRun:
    return CanaryRun(at_ms=row["first_slot"], steps_ms=tuple(row["steps_ms"]), failure=row.get("failure"))
