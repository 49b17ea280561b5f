"""Routes for the runs of the canary: it reports them, and the staff reads them."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.canary import CanaryReport, CanaryRunAnswer, CanaryStepItem
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import ADMINS, STAFF
from chalicelib.domain.operations.canary import CanaryRun

routes = Routes("canary")


@routes.add("POST", "/monitoring/canary", roles=ADMINS, key_scope=Scope.CANARY, body=CanaryReport, status=201)
def report_canary(call: Call) -> CanaryRunAnswer:
    """Store a run of the canary."""
    return _answer(call.services.canary.report(**dict(call.body)))


@routes.add("GET", "/monitoring/canary", roles=STAFF, query=ListQuery)
def list_canary_runs(call: Call) -> ListAnswer[CanaryRunAnswer]:
    """List the runs of the canary, newest first."""
    page = call.services.canary.page(limit=call.query.limit, cursor=call.query.cursor)
    return ListAnswer(items=[_answer(run) for run in page.items], next_cursor=page.next_cursor)


def _answer(run: CanaryRun) -> CanaryRunAnswer:
    steps = [CanaryStepItem(step=step, ms=ms, is_ok=is_ok) for step, ms, is_ok in run.steps]
    return CanaryRunAnswer(
        at_ms=run.at_ms, is_ok=run.is_ok, failed_step=run.failed_step, failure=run.failure, steps=steps
    )
