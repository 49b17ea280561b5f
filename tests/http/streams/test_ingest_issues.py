"""The list of a stream's ingest issues, and the places that show it."""

from dataclasses import replace

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.streams.issues.ingest_issues import CloseReason, IngestIssue, IssueType
from chalicelib.domain.streams.issues.issue_kinds import KINDS
from tests.http.conftest import Api, assert_problem

NOW = 1_800_000_000_000
KEYS = {"issue_id", "type", "severity", "since_ms", "closed_at_ms", "close_reason", "actual", "expected", "advice"}


def stored(api: Api, stream_id: str) -> list[IngestIssue]:
    """Store issues of all types, every second one closed; return them newest first."""
    table, found = api.services.stores.ingest_issues, []
    for number, issue_type in enumerate(IssueType):
        issue = IngestIssue(
            stream_id=stream_id, type=issue_type, since_ms=NOW + number, actual=f"{number} ppm", expected="0 ppm"
        )
        table.put(issue)
        if number % 2:
            issue = issue.closed(NOW + 100, CloseReason.CLEARED)
            table.close(issue)
        found.append(issue)
    return found[::-1]


def test_issues_are_listed_newest_first_in_pages(api: Api) -> None:
    operator, stream_id = api.login(api.user(Role.OPERATOR)), api.create_stream()["stream_id"]
    path = f"/streams/{stream_id}/issues"
    assert api.get(operator, path) == {"items": [], "next_cursor": None}
    issues = stored(api, stream_id)
    for state, expected in (
        ("all", issues),
        ("open", [each for each in issues if each.closed_at_ms is None]),
        ("closed", [each for each in issues if each.closed_at_ms]),
    ):
        listed = api.all_items(operator, path, limit=2, state=state)
        assert [each["issue_id"] for each in listed] == [each.issue_id for each in expected], state
        assert {each["closed_at_ms"] for each in listed} == {each.closed_at_ms for each in expected}
    assert len(api.get(operator, path)["items"]) == len(issues), "all is the default"


def test_an_issue_says_what_is_wrong_and_what_to_do(api: Api) -> None:
    admin, stream_id = api.admin(), api.create_stream()["stream_id"]
    drift = IngestIssue(
        stream_id=stream_id, type=IssueType.AUDIO_DRIFT, since_ms=NOW, actual="300 ppm fast", expected="100 ppm"
    )
    api.services.stores.ingest_issues.put(drift)
    [shown] = api.get(admin, f"/streams/{stream_id}/issues", state="open")["items"]
    assert shown.keys() == KEYS
    assert (shown["type"], shown["severity"], shown["since_ms"]) == ("audio_drift", "info", NOW)
    assert (shown["actual"], shown["expected"]) == ("300 ppm fast", "100 ppm")
    assert shown["advice"] == KINDS[IssueType.AUDIO_DRIFT].advice
    assert (shown["closed_at_ms"], shown["close_reason"]) == (None, None)
    # One list serves all.
    assert api.get(admin, f"/streams/{stream_id}/runtime")["issues"] == [shown]
    assert api.get(admin, f"/streams/{stream_id}/log")["issues"] == [shown]
    api.services.stores.ingest_issues.close(replace(drift).closed(NOW + 5, CloseReason.UNKNOWN))
    assert api.get(admin, f"/streams/{stream_id}/runtime")["issues"] == []
    [closed] = api.get(admin, f"/streams/{stream_id}/log")["issues"]
    assert (closed["closed_at_ms"], closed["close_reason"]) == (NOW + 5, "unknown")


def test_bad_input_is_named(api: Api) -> None:
    admin, stream_id = api.admin(), api.create_stream()["stream_id"]
    path = f"/streams/{stream_id}/issues"
    for params in ({"state": "old"}, {"limit": 201}, {"cursor": "no-id"}, {"cursor": "~"}):
        answer = api.http.get(path, params=params, headers=admin)
        assert answer.status_code == 400 and next(iter(params)) in answer.json()["detail"], answer.text
    assert_problem(api.http.get("/streams/none/issues", headers=admin), 404, "stream_not_found")
    assert api.http.get(path, headers=api.viewer()).status_code == 403
