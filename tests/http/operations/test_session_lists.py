"""The list of sessions over HTTP: filters, order, pages, and what is refused."""

import pytest

from chalicelib.domain.accounts.users import Role
from tests.http.conftest import Api, assert_problem


def test_ended_sessions_are_listed_without_stream_or_user(api: Api) -> None:
    admin, first, second = api.admin(), api.viewer(), api.viewer()
    kicked = api.watch(first)
    stopped = api.watch(second)
    # The one that began first ends last.
    api.end(second, stopped)
    api.end(admin, kicked, "kick", reason="too loud")
    ended = api.all_items(admin, "/sessions", limit=1, state="ended")
    assert [each["session_id"] for each in ended][:2] == [kicked, stopped]
    assert (ended[0]["end_reason"], ended[0]["active"], ended[1]["end_reason"]) == ("kicked", False, "viewer_stopped")
    assert ended[0]["ended_at_ms"] >= ended[1]["ended_at_ms"] >= ended[1]["started_at_ms"]

    def ids(**query: object) -> list[str]:
        return [each["session_id"] for each in api.all_items(admin, "/sessions", limit=2, state="ended", **query)]

    assert kicked in ids(end_reason="kicked") and stopped not in ids(end_reason="kicked")
    assert ids(end_reason="superseded") == []
    at_ms = ended[0]["ended_at_ms"]
    assert kicked in ids(from_ms=at_ms, to_ms=at_ms + 1) and kicked not in ids(to_ms=at_ms)
    user_id, stream_id = ended[0]["user_id"], ended[1]["stream_id"]
    assert ids(user_id=user_id) == [kicked] and ids(stream_id=stream_id) == [stopped]
    assert ids(user_id=user_id, stream_id=stream_id) == ids(user_id=user_id, end_reason="viewer_stopped") == []


def test_active_sessions_are_newest_first(api: Api) -> None:
    operator = api.login(api.user(Role.OPERATOR))
    watched = [api.watch(api.viewer()) for _ in range(3)]
    listed = api.all_items(operator, "/sessions", limit=2)
    starts = [each["started_at_ms"] for each in listed]
    assert starts == sorted(starts, reverse=True)
    assert [each["session_id"] for each in listed][:3] == watched[::-1]
    assert all(each["active"] and each["paid_until_ms"] for each in listed[:3])
    newest_ms = starts[0]
    found = api.get(operator, "/sessions", from_ms=newest_ms)["items"]
    assert watched[2] in [each["session_id"] for each in found]
    assert watched[2] not in [each["session_id"] for each in api.all_items(operator, "/sessions", 2, to_ms=newest_ms)]


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ({"end_reason": "kicked"}, "query", "end_reason needs state=ended"),
        ({"end_reason": "bored", "state": "ended"}, "end_reason", "'kicked'"),
        ({"from_ms": 5, "to_ms": 5}, "query", "from_ms must be less than to_ms"),
        ({"from_ms": -1}, "from_ms", "greater than or equal to 0"),
        ({"to_ms": 10**13}, "to_ms", "less than or equal to 9999999999999"),
        ({"state": "all"}, "state", "'active' or 'ended'"),
    ],
)
def test_a_wrong_filter_is_named_with_what_is_allowed(api: Api, query: dict[str, object], field: str, allowed: str):
    answer = api.http.get("/sessions", params=query, headers=api.admin())  # type: ignore[arg-type]
    problem = assert_problem(answer, 400, "invalid_request")
    assert problem["errors"][0]["field"] == field and allowed in problem["errors"][0]["detail"], problem


@pytest.mark.parametrize("query", [{}, {"state": "ended"}, {"user_id": "u_" + "a" * 20}])
def test_a_cursor_that_was_not_given_out_is_refused(api: Api, query: dict[str, str]) -> None:
    answer = api.http.get("/sessions", params={**query, "cursor": "eyJhIjoxfQ"}, headers=api.admin())
    problem = assert_problem(answer, 400, "invalid_request")
    assert problem["errors"][0]["field"] == "cursor"
