"""Routes for reconciliation and adjustments."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer
from chalicelib.api.models.reconciliation import AdjustRequest, DayTotalsAnswer, ReconciliationQuery
from chalicelib.api.models.wallets import WalletAnswer
from chalicelib.api.wire import wallet_answer
from chalicelib.domain.accounts.users import FINANCE
from chalicelib.domain.money.reconciliation import SessionReconciliation

routes = Routes("reconciliation")


@routes.add("GET", "/reconciliation", roles=FINANCE, query=ReconciliationQuery)
def list_reconciliation(call: Call) -> ListAnswer[SessionReconciliation]:
    """List the sessions that ended on a UTC day, with their ledger, leases and served media."""
    agrees = None if call.query.disagreeing is None else not call.query.disagreeing
    page = call.services.reconciliation.rows(
        call.query.day, agrees=agrees, limit=call.query.limit, cursor=call.query.cursor
    )
    return ListAnswer[SessionReconciliation].model_validate(page)


@routes.add("GET", "/reconciliation/{day}", roles=FINANCE)
def day_totals(call: Call, day: str) -> DayTotalsAnswer:
    """Return the sums over the sessions that ended on a UTC day, and what the gateways served that day."""
    reconciliation = call.services.reconciliation
    # Read first: a day that ends during the request was not over when it was summed.
    day_over = reconciliation.is_over(day)
    totals, served = reconciliation.totals(day), reconciliation.served_on(day)
    gateways = {"gateway_media_ms": served.media_ms, "gateway_media_bytes": served.media_bytes}
    return DayTotalsAnswer.model_validate({**vars(totals), **gateways, "day_over": day_over})


@routes.add("POST", "/sessions/{session_id}/adjust", roles=FINANCE, body=AdjustRequest, refusals={409})
def adjust_session(call: Call, session_id: str) -> WalletAnswer:
    """Give points back for a session, or take some with a negative amount: once for each `payment_id`."""
    return wallet_answer(call, call.services.payments.adjust(session_id, by=call.actor, **dict(call.body)))
