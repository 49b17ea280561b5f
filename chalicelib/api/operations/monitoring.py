"""Routes for health, metrics and error counts."""

from chalice.app import Response

from chalicelib.api.answers import make_response
from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer
from chalicelib.api.models.ingest_issues import issue_answer
from chalicelib.api.models.monitoring import (
    CutOffQuery,
    CutOffsAnswer,
    ErrorsAnswer,
    HealthAnswer,
    HourCutOffItem,
    MetricsAnswer,
    StreamTrafficItem,
    StreamTrafficQuery,
)
from chalicelib.api.models.runtimes import StreamStateAnswer, StreamStatesQuery
from chalicelib.api.operations.exposition import CONTENT_TYPES, preferred, render
from chalicelib.config import VERSION
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import OPERATORS, STAFF
from chalicelib.domain.money import cut_offs
from chalicelib.services.streams.stream_states import StreamState

routes = Routes("monitoring")
TEXTS = {media_type: {"type": "string"} for media_type in CONTENT_TYPES}


@routes.add("GET", "/healthz", roles=None, failed=HealthAnswer)
def healthz(call: Call) -> HealthAnswer | Response:
    """Check the API and its dependencies; 503 when a dependency fails."""
    found = {name: "ok" if works else "failed" for name, works in call.services.monitoring.health().items()}
    status = "ok" if set(found.values()) == {"ok"} else "failed"
    answer = HealthAnswer.model_validate({"status": status, "version": VERSION, "dependencies": found})
    if status == "ok":
        return answer
    return make_response(answer.model_dump_json(), "application/json", 503, {"Retry-After": "1"})


@routes.add("GET", "/monitoring/metrics", roles=STAFF, key_scope=Scope.METRICS, other_types=TEXTS)
def metrics(call: Call) -> MetricsAnswer | Response:
    """Return active sessions, points per minute, failures, gateway answers and cut-off times.

    With `Accept: text/plain` or `application/openmetrics-text`: all metrics for Prometheus.
    """
    media_type = preferred(call.accept)
    if media_type in CONTENT_TYPES:
        return make_response(render(call.services.exporter.families(), media_type), CONTENT_TYPES[media_type])
    figures, reconciled = vars(call.services.monitoring.metrics()), call.services.reconciliation.figures()
    return MetricsAnswer.model_validate({**figures, "reconciliation": reconciled, "cut_offs": reconciled.cut_offs})


@routes.add("GET", "/monitoring/streams", roles=STAFF, key_scope=Scope.METRICS, query=StreamTrafficQuery)
def stream_traffic(call: Call) -> ListAnswer[StreamTrafficItem]:
    """List the gateways' answers, refusals, cache hits and bytes for each stream in one hour."""
    page = call.services.monitoring.streams(**dict(call.query))
    items = [StreamTrafficItem.model_validate({**vars(each.traffic), **vars(each)}) for each in page.items]
    return ListAnswer(items=items, next_cursor=page.next_cursor)


@routes.add("GET", "/monitoring/stream-states", roles=OPERATORS, query=StreamStatesQuery, etag=True, refusals={404})
def stream_states(call: Call) -> ListAnswer[StreamStateAnswer]:
    """List the streams with their real state, viewers, newest figures and worst issue, for a page that polls."""
    query, states = call.query, call.services.stream_states
    if query.stream_id is not None:
        return ListAnswer(items=[_state(states.of_stream(query.stream_id))], next_cursor=None)
    page = states.listing(limit=query.limit, cursor=query.cursor)
    return ListAnswer(items=[_state(each) for each in page.items], next_cursor=page.next_cursor)


@routes.add("GET", "/monitoring/cut-offs", roles=STAFF, key_scope=Scope.METRICS, query=CutOffQuery)
def list_cut_offs(call: Call) -> CutOffsAnswer:
    """List how long sessions that ended early on a UTC day were still served, by hour and reason."""
    totals = call.services.reconciliation.stored_totals(call.query.day)
    return CutOffsAnswer(
        day=totals.day, all_added_up=totals.all_added_up, items=[_hour(each) for each in totals.cut_offs]
    )


@routes.add("GET", "/monitoring/errors", roles=STAFF, key_scope=Scope.METRICS)
def errors(call: Call) -> ErrorsAnswer:
    """List how often each error was returned by each route, when, and the request of the last one."""
    return ErrorsAnswer(items=call.services.monitoring.errors())


def _hour(part: cut_offs.CutOffs) -> HourCutOffItem:
    [figures] = cut_offs.cut_off_stats([part])
    values = {**vars(figures), "hour_ms": part.hour_ms, "histogram": cut_offs.by_bound(part)}
    return HourCutOffItem.model_validate(values)


def _state(found: StreamState) -> StreamStateAnswer:
    view = found.view
    stream, runtime = view.stream, view.runtime
    values = {
        **vars(stream),
        **vars(found),
        "ingest_mode": stream.ingest.mode,
        "state": view.state,
        "waiting": runtime.waiting,
        "source": runtime.source,
        "issues_open": len(found.issues),
        "issue": issue_answer(found.issues[0]) if found.issues else None,
    }
    return StreamStateAnswer.model_validate(values)
