"""The operators' list of streams with their state: what it says, what is unknown, and what it costs to poll."""

from typing import Any

import pytest

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.streams.issues.ingest_issues import IngestIssue, IssueType
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState
from chalicelib.services.streams import stream_states
from tests.http.conftest import Api, assert_problem

PATH = "/monitoring/stream-states"
NOW = 1_800_000_000_000


def state_of(api: Api, stream_id: str) -> dict[str, Any]:
    operator = api.login(api.user(Role.OPERATOR))
    [found] = [each for each in api.all_items(operator, PATH, limit=2) if each["stream_id"] == stream_id]
    [alone] = api.get(operator, PATH, stream_id=stream_id)["items"]
    # Time goes on between the two.
    assert {**alone, "manifest_age_ms": None} == {**found, "manifest_age_ms": None}
    assert (alone["manifest_age_ms"] is None) == (found["manifest_age_ms"] is None)
    return found


def test_a_watched_stream_has_its_viewers_and_what_they_spend(api: Api) -> None:
    stream_id = api.live_stream(rate_millipoints_per_minute=6_000)
    for _ in range(2):
        assert api.start(api.viewer(), stream_id).status_code == 201
    # A preview is free.
    assert api.http.post(f"/streams/{stream_id}/preview", headers=api.admin()).status_code == 201
    found = state_of(api, stream_id)
    assert (found["desired_state"], found["state"], found["ingest_mode"]) == ("live", "live", "test")
    assert (found["viewers"], found["millipoints_per_minute"]) == (3, 12_000)
    # No worker has registered here: the one that reports is of the test.
    assert (found["issues_open"], found["issue"]["type"], found["waiting"]) == (1, "no_worker", None)


def test_a_stream_that_does_not_reach_viewers_earns_nothing(api: Api) -> None:
    stream_id = api.live_stream(rate_millipoints_per_minute=6_000)
    assert api.start(api.viewer(), stream_id).status_code == 201
    api.report(stream_id, RuntimeState.STALLED)
    found = state_of(api, stream_id)
    assert (found["state"], found["viewers"], found["millipoints_per_minute"]) == ("stalled", 1, 0)


def test_figures_of_a_worker_are_unknown_once_it_has_lost_the_stream(api: Api) -> None:
    stream_id = api.live_stream()
    runtimes, now_ms = api.services.stores.runtimes, api.services.stores.clock.now_ms()
    claim = runtimes.claim(stream_id, "worker-1", now_ms, now_ms + 60_000)
    assert claim is not None
    report = Runtime(
        stream_id=stream_id, state=RuntimeState.LIVE, claim=claim, reported_at_ms=now_ms, bitrate_bps=3_000_000,
        ingest_bitrate_bps=4_000_000, last_manifest_at_ms=now_ms, source="primary",
    )  # fmt: skip
    assert runtimes.report(claim, report)
    assert runtimes.renew(claim, now_ms, now_ms + 60_000, now_ms)
    found = state_of(api, stream_id)
    assert (found["bitrate_bps"], found["ingest_bitrate_bps"]) == (3_000_000, 4_000_000)
    assert (found["source"], 0 <= found["manifest_age_ms"] < 60_000) == ("primary", True)
    runtimes.release(claim)
    lost = state_of(api, stream_id)
    assert (lost["bitrate_bps"], lost["ingest_bitrate_bps"]) == (None, None)
    assert lost["manifest_age_ms"] is not None, "viewers still wait for its media"
    api.services.streams.set_state(stream_id, DesiredState.STOPPED)
    assert state_of(api, stream_id)["manifest_age_ms"] is None


def test_the_worst_issue_comes_first(api: Api) -> None:
    stream_id = api.live_stream()
    api.services.ingest_issues.record_stopped(stream_id)
    # By age the list would begin with the drift, which is an information.
    kinds = (IssueType.AUDIO_DRIFT, IssueType.AUDIO_GAPS, IssueType.ON_SLATE, IssueType.DISK_LOW)
    for number, kind in enumerate(kinds):
        issue = IngestIssue(stream_id=stream_id, type=kind, since_ms=NOW + number, actual="a", expected="b")
        assert api.services.stores.ingest_issues.put(issue)
    found = state_of(api, stream_id)
    assert (found["issues_open"], found["issue"]["type"], found["issue"]["severity"]) == (4, "on_slate", "error")
    runtime = api.get(api.admin(), f"/streams/{stream_id}/runtime")
    assert found["issue"] in runtime["issues"]


def test_archived_streams_and_viewers_of_it_are_left_out(api: Api) -> None:
    stream_id = api.create_stream()["stream_id"]
    found = state_of(api, stream_id)
    assert (found["state"], found["desired_state"], found["viewers"]) == ("stopped", "stopped", 0)
    api.services.streams.archive(stream_id)
    assert_problem(api.http.get(PATH, params={"stream_id": stream_id}, headers=api.admin()), 404, "stream_not_found")
    assert all(each["stream_id"] != stream_id for each in api.all_items(api.admin(), PATH, limit=50))
    for headers in (api.viewer(), api.login(api.user(Role.FINANCE))):
        assert api.http.get(PATH, headers=headers).status_code == 403


def test_more_sessions_than_are_counted_are_unknown(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    stream_id = api.live_stream()
    for _ in range(2):
        assert api.start(api.viewer(), stream_id).status_code == 201
    monkeypatch.setattr(stream_states, "SESSIONS_COUNTED_MAX", 1)
    page = api.services.stream_states.listing(limit=200, cursor=None)
    [found] = [each for each in page.items if each.view.stream.stream_id == stream_id]
    assert (found.viewers, found.millipoints_per_minute) == (None, None)


def test_an_unchanged_list_is_not_sent_again(api: Api) -> None:
    admin, stream_id = api.admin(), api.create_stream()["stream_id"]
    for each in api.all_items(admin, PATH, limit=50):
        api.services.streams.set_state(each["stream_id"], DesiredState.STOPPED)
    first = api.http.get(PATH, headers=admin)
    tag = first.headers["ETag"]
    again = api.http.get(PATH, headers={**admin, "If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    api.services.streams.set_state(stream_id, DesiredState.LIVE)
    assert api.http.get(PATH, headers={**admin, "If-None-Match": tag}).status_code == 200
