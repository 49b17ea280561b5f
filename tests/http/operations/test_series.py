"""Time series and the overview over HTTP: gaps, hours, unchanged answers, and what is refused."""

from typing import Any

import pytest

from chalicelib.api.models.common import LIST_LIMIT_MAX
from chalicelib.bootstrap import Container
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.operations.series import OF_STREAMS, SeriesName
from chalicelib.domain.operations.traffic import MINUTE_MS
from tests.fakes.simple import SetClock
from tests.http.accounts.test_service_keys import new_key, with_key
from tests.http.conftest import Api, assert_problem


@pytest.fixture(scope="module")
def sampled(api: Api) -> str:
    """The id of a live stream that is sampled now, one minute and three minutes ago, with one viewer."""
    stream_id = api.live_stream()
    assert api.start(api.viewer(), stream_id).status_code == 201
    now_ms = api.services.stores.clock.now_ms()
    overview = api.get(api.admin(), "/monitoring/overview")
    assert overview["at_ms"] is None and overview["is_current"] is False
    assert set(overview["figures"]) == set(SeriesName) and set(overview["figures"].values()) == {None}
    for ago in (3, 1, 0):
        services = Container(api.services.settings)
        services.stores.clock = SetClock(now_ms - ago * MINUTE_MS)  # type: ignore[misc]
        assert services.sampler.sample() is not None
    return stream_id


def test_a_minute_without_a_sample_is_null(api: Api, sampled: str) -> None:
    for query in ({}, {"stream_id": sampled}):
        answer = api.get(api.admin(), "/monitoring/series", names="active_sessions,egress_bytes", **query)
        assert (answer["step_s"], answer["sampled_minutes"], answer["stream_id"]) == (60, None, query.get("stream_id"))
        assert answer["to_ms"] - answer["from_ms"] == 24 * 60 * MINUTE_MS
        assert {name: len(values) for name, values in answer["series"].items()} == {
            "active_sessions": 1_440,
            "egress_bytes": 1_440,
        }
        # The minute that has begun since the samples may be over by now.
        known = [at for at, value in enumerate(answer["series"]["active_sessions"]) if value is not None]
        assert [at - known[0] for at in known] == [0, 2, 3]
        assert set(answer["series"]["egress_bytes"]) == {None}, "no gateway's log is followed"


def test_all_series_are_returned_unless_some_are_named(api: Api, sampled: str) -> None:
    last = {"from_ms": api.services.stores.clock.now_ms() - 5 * MINUTE_MS}
    assert set(api.get(api.admin(), "/monitoring/series", **last)["series"]) == set(SeriesName)
    of_stream = api.get(api.admin(), "/monitoring/series", stream_id=sampled, **last)["series"]
    assert set(of_stream) == set(OF_STREAMS)
    assert 60 in of_stream["points_per_minute"] and 1 in of_stream["active_sessions"]


def test_hours_have_the_number_of_their_samples(api: Api, sampled: str) -> None:
    answer = api.get(api.admin(), "/monitoring/series", names="egress_bytes", step=3_600)
    assert answer["step_s"] == 3_600 and len(answer["sampled_minutes"]) == len(answer["series"]["egress_bytes"]) == 720


def test_an_unchanged_overview_costs_less_than_1_kb(api: Api, sampled: str) -> None:
    first = api.http.get("/monitoring/overview", headers=api.admin())
    overview = first.json()
    assert (
        overview["is_current"] is True and overview["streams_live"] >= 1 and overview["figures"]["active_sessions"] >= 1
    )
    assert (overview["workers"], overview["dead_letters"]) == (0, 0) and overview["work_queue_depth"] >= 0
    tag = first.headers["ETag"]
    again = api.http.get("/monitoring/overview", headers={**api.admin(), "If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert len(b"\r\n".join(name + b": " + value for name, value in again.headers.raw)) < 1_000
    weak = {**api.admin(), "If-None-Match": f'"other", W/{tag}'}
    assert api.http.get("/monitoring/overview", headers=weak).status_code == 304
    other = {**api.admin(), "If-None-Match": '"other"'}
    assert api.http.get("/monitoring/overview", headers=other).json() == overview


def test_programs_with_the_scope_read_both(api: Api, sampled: str) -> None:
    headers = with_key(new_key(api, Scope.METRICS))
    for path in ("/monitoring/series", "/monitoring/overview"):
        assert api.http.get(path, headers=headers).status_code == 200


WRONG: list[tuple[str, Any, str]] = [
    ("names", "nonsense", "allowed: active_sessions"),
    ("names", "", "allowed: active_sessions"),
    ("names", ",".join(["egress_bytes"] * (len(SeriesName) + 1)), f"1 to {len(SeriesName)} names"),
    ("step", 61, "'60' or '3600'"),
    ("from_ms", -1, "greater than or equal to 0"),
    ("to_ms", "soon", "integer"),
    ("to_ms", 0, "greater than or equal to 1"),
    ("from_ms", 0, "at most 24 hours"),
    ("stream_id", "No Stream", "lower-case letters"),
    ("limit", LIST_LIMIT_MAX, "unknown; allowed: names, stream_id, from_ms, to_ms, step"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_what_series_are_not_asked_by_is_named(api: Api, name: str, value: Any, words: str) -> None:
    refused = api.http.get("/monitoring/series", params={name: value}, headers=api.admin())
    [error] = assert_problem(refused, 400, "invalid_request")["errors"]
    assert error["field"] == name and words in error["detail"], error


def test_the_default_range_does_not_begin_before_the_epoch(api: Api) -> None:
    answer = api.get(api.admin(), "/monitoring/series?to_ms=1")
    assert (answer["from_ms"], answer["to_ms"]) == (0, MINUTE_MS)
    assert {len(values) for values in answer["series"].values()} == {1}


def test_a_stream_has_no_logins_and_an_unknown_one_no_series(api: Api) -> None:
    query = {"stream_id": api.create_stream()["stream_id"], "names": "login_failures"}
    refused = api.http.get("/monitoring/series", params=query, headers=api.admin())
    assert assert_problem(refused, 400, "invalid_request")["errors"][0]["field"] == "names"
    assert_problem(api.http.get("/monitoring/series?stream_id=none", headers=api.admin()), 404, "not_found")
