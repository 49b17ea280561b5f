"""Route for the money totals of the stage."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.money import PeriodItem, TotalsAnswer, TotalsItem, TotalsQuery
from chalicelib.domain.accounts.users import FINANCE
from chalicelib.domain.money.totals import MoneyTotals

routes = Routes("money")


@routes.add("GET", "/money/totals", roles=FINANCE, query=TotalsQuery, etag=True)
def money_totals(call: Call) -> TotalsAnswer:
    """Return what sessions cost and payments moved, by UTC day or month.

    A session counts some minutes after its end, when it is reconciled, and an active one not at all. The `ledger` of
    all days minus what active sessions have paid so far is the sum of all balances.
    """
    step = call.query.by
    found = call.services.totals.of_range(step, call.query.from_day, call.query.to_day)
    periods = [
        PeriodItem(period=each.period, is_over=each.period < found.today[: len(each.period)], **_values(each.totals))
        for each in found.periods
    ]
    return TotalsAnswer(
        by=step,
        from_day=found.from_day,
        to_day=found.to_day,
        periods=periods,
        total=TotalsItem.model_validate(found.total),
    )


def _values(totals: MoneyTotals) -> dict[str, int]:
    return TotalsItem.model_validate(totals).model_dump()
