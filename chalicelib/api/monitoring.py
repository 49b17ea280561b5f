"""Health, figures and error summary."""

from collections.abc import Callable

from chalice.app import Response

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.monitoring import ErrorItem, ErrorsAnswer, HealthAnswer, MetricsAnswer
from chalicelib.config import VERSION
from chalicelib.domain.users import Role
from chalicelib.ports import StoreUnavailable

routes = Routes("monitoring")


@routes.add("GET", "/healthz", role=None, answer=HealthAnswer, failed=HealthAnswer)
def healthz(call: Call) -> HealthAnswer | Response:
    """Whether the API is up, and what it depends on; 503 when a dependency fails."""
    checks: dict[str, Callable[[], object]] = {
        "tables": lambda: call.services.stream_table.list(limit=1, cursor=None),
        "media": lambda: call.services.media.list("streams/", limit=1),
    }
    found = {name: "ok" if _works(check) else "failed" for name, check in checks.items()}
    status = "ok" if set(found.values()) == {"ok"} else "failed"
    answer = HealthAnswer.model_validate({"status": status, "version": VERSION, "dependencies": found})
    if status == "ok":
        return answer
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(body=answer.model_dump_json(), status_code=503, headers={**headers, "Retry-After": "1"})


@routes.add("GET", "/monitoring/metrics", role=Role.ADMIN, answer=MetricsAnswer)
def metrics(call: Call) -> MetricsAnswer:
    """Active sessions, points spent a minute, login failures, playback errors."""
    figures = vars(call.services.monitoring.metrics())
    return MetricsAnswer.model_validate({**figures, "reconciliation": call.services.reconciliation.figures()})


@routes.add("GET", "/monitoring/errors", role=Role.ADMIN, answer=ErrorsAnswer)
def errors(call: Call) -> ErrorsAnswer:
    """The last hour's refusals and failures."""
    return ErrorsAnswer(items=[ErrorItem.model_validate(each) for each in call.services.monitoring.errors()])


def _works(check: Callable[[], object]) -> bool:
    try:
        check()
    except StoreUnavailable:
        return False
    return True
