"""Routes for time series and the overview, of the staff."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.series import OverviewAnswer, SeriesAnswer, SeriesQuery
from chalicelib.config import VERSION
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import STAFF
from chalicelib.domain.operations.series import SeriesName

routes = Routes("series")


@routes.add(
    "GET", "/monitoring/series", roles=STAFF, key_scope=Scope.METRICS, query=SeriesQuery, etag=True, refusals={404}
)
def read_series(call: Call) -> SeriesAnswer:
    """Return time series of the platform or of a stream, by minutes or by hours."""
    query = call.query
    found = call.services.series.columns(
        query.name_list, stream_id=query.stream_id, from_ms=query.from_ms, to_ms=query.to_ms, step=query.seconds
    )
    return SeriesAnswer(stream_id=query.stream_id, step_s=query.seconds, **vars(found))


@routes.add("GET", "/monitoring/overview", roles=STAFF, key_scope=Scope.METRICS, etag=True)
def read_overview(call: Call) -> OverviewAnswer:
    """Return the state of the platform as of the last minute, for the head of a dashboard."""
    overview, is_current = call.services.series.overview()
    unknown = {**dict.fromkeys(OverviewAnswer.model_fields), "figures": dict.fromkeys(SeriesName)}
    values = {**unknown, **(vars(overview) if overview else {}), "version": VERSION, "is_current": is_current}
    return OverviewAnswer.model_validate(values)
