"""Two operators who edit at the same time: `If-Match` lets exactly one win, and the other learns what differs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from chalicelib.domain.accounts.users import Role
from tests.http.conftest import Api, assert_problem

PATH = "/streams/{stream_id}"
URL = "https://example.org/hidden/live.m3u8?token=hush"


def tag_of(api: Api, path: str) -> str:
    answer = api.http.get(path, headers=api.admin())
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def send(api: Api, method: str, path: str, tag: str | None, body: object = None, **params: str) -> httpx.Response:
    headers = {**api.admin(), **({"If-Match": tag} if tag else {})}
    return api.http.request(method, path, json=body, headers=headers, params=params or None)


def stream_path(api: Api, **settings: Any) -> str:
    return f"/streams/{api.create_stream(**settings)['stream_id']}"


def audited(api: Api, target: str) -> list[str]:
    items = api.get(api.admin(), "/audit", limit=200)["items"]
    return [each["action"] for each in reversed(items) if each["target"] == target]


def test_of_two_edits_at_once_one_wins_and_the_other_learns_what_differs(api: Api) -> None:
    for _ in range(3):
        path = stream_path(api)
        tag = tag_of(api, path)
        titles = [f"Title {n}" for n in range(4)]

        def edit(title: str, path: str = path, tag: str = tag) -> httpx.Response:
            return send(api, "PATCH", path, tag, {"title": title})

        with ThreadPoolExecutor(len(titles)) as pool:
            answers = list(pool.map(edit, titles))
        [winner] = [each for each in answers if each.status_code == 200]
        title = winner.json()["title"]
        stored = api.get(api.admin(), path)
        assert (stored["title"], stored["version"]) == (title, winner.json()["version"])
        assert winner.headers["ETag"].startswith(f'"{stored["version"]}.')
        for answer in answers:
            if answer is not winner:
                problem = assert_problem(answer, 412, "changed_meanwhile")
                assert problem["differing"] == [{"field": "title", "seen": "A stream", "current": title}]
                assert problem["version"] == stored["version"]
        # Nothing of the others is left: neither a second version nor an entry of an edit.
        assert audited(api, stored["stream_id"]) == ["stream.create", "stream.edit"]


def test_an_edit_with_the_current_tag_or_none_or_any_is_made(api: Api) -> None:
    path = stream_path(api)
    first = tag_of(api, path)
    assert send(api, "PATCH", path, first, {"viewers_max": 1}).status_code == 200
    for n, tag in enumerate((None, "*", tag_of(api, path), f"W/{tag_of(api, path)}"), 2):
        # Each is the next version, so an older tag no longer fits: the list has the current one.
        tag = tag and (tag if tag == "*" else f'"x", {tag_of(api, path)}')
        assert send(api, "PATCH", path, tag, {"viewers_max": n}).status_code == 200
    assert assert_problem(send(api, "PATCH", path, first, {"title": "x"}), 412, "changed_meanwhile")["differing"] == [
        {"field": "viewers_max", "seen": 0, "current": 5}
    ]
    for tag in ("7", '"7', '"7" "8"', "W/*"):
        problem = assert_problem(send(api, "PATCH", path, tag, {"title": "x"}), 400, "invalid_request")
        assert problem["errors"][0]["field"] == "If-Match"
    # A tag that names no version, one of the future, and a version that is too old.
    for tag in ('"unknown"', '"99"', '""'):
        assert (
            assert_problem(send(api, "PATCH", path, tag, {"title": "x"}), 412, "changed_meanwhile")["differing"] is None
        )
    for n in range(11):
        assert send(api, "PATCH", path, None, {"title": f"Title {n}"}).status_code == 200
    assert (
        assert_problem(send(api, "PATCH", path, first, {"title": "x"}), 412, "changed_meanwhile")["differing"] is None
    )
    assert send(api, "PATCH", path, first, {"title": "x"}, dry_run="true").status_code == 412
    assert send(api, "PATCH", "/streams/no-stream", "*", {"title": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("DELETE", "", None),
        ("POST", "/state", {"state": "stopped"}),
        ("POST", "/restart", None),
        ("POST", "/ingest-key", None),
    ],
)
def test_a_command_of_an_older_version_does_nothing_by_half(
    api: Api, method: str, end: str, body: dict[str, str] | None
) -> None:
    stream_id = api.live_stream()
    path, viewer = f"/streams/{stream_id}", api.viewer()
    session_id = api.start(viewer, stream_id).json()["session_id"]
    tag = tag_of(api, path)
    assert send(api, "PATCH", path, None, {"rate_millipoints_per_minute": 1_000}).status_code == 200
    before = api.get(api.admin(), path)
    problem = assert_problem(send(api, method, path + end, tag, body), 412, "changed_meanwhile")
    assert problem["differing"] == [{"field": "rate_millipoints_per_minute", "seen": 60_000, "current": 1_000}]
    assert api.get(api.admin(), path) == before
    assert api.get(viewer, f"/me/sessions/{session_id}")["active"]
    assert audited(api, stream_id) == ["stream.edit"]
    assert send(api, method, path + end, tag_of(api, path), body).status_code in (200, 204)


def test_secrets_that_differ_are_named_and_hidden(api: Api) -> None:
    path = stream_path(api, ingest={"mode": "pull", "url": URL})
    tag = tag_of(api, path)
    other = {"ingest": {"mode": "pull", "url": URL.replace("hush", "hushed")}}
    assert send(api, "PATCH", path, tag, other).status_code == 200
    assert send(api, "POST", f"{path}/ingest-key", None).status_code == 200
    answer = send(api, "PATCH", path, tag, {"title": "x"})
    differing = {each["field"]: each for each in assert_problem(answer, 412, "changed_meanwhile")["differing"]}
    source = {"mode": "pull", "url": "https://example.org/hidden"}
    assert differing["ingest"] == {"field": "ingest", "seen": source, "current": source}
    assert differing["ingest_key"] == {"field": "ingest_key", "seen": "hidden", "current": "hidden"}
    assert "hush" not in answer.text and "live.m3u8" not in answer.text


def test_accounts_are_edited_once_too_and_sessions_stay_where_an_edit_loses(api: Api) -> None:
    user = api.user(millipoints=100_000)
    path, viewer = f"/users/{user.user_id}", api.login(user)
    tag, session_id = tag_of(api, path), api.watch(viewer)
    changes = [{"role": "finance"}, {"role": "operator"}, {"password": "another good password"}]
    with ThreadPoolExecutor(len(changes)) as pool:
        answers = list(pool.map(lambda change: send(api, "PATCH", path, tag, change), changes))
    [winner] = [each for each in answers if each.status_code == 200]
    assert winner.json()["version"] == 2
    [*problems] = [assert_problem(each, 412, "changed_meanwhile") for each in answers if each is not winner]
    change = changes[answers.index(winner)]
    expected = (
        {"field": "role", "seen": "viewer", "current": change["role"]}
        if "role" in change
        else {"field": "password", "seen": "hidden", "current": "hidden"}
    )
    assert [each["differing"] for each in problems] == [[expected]] * 2
    assert len([each for each in audited(api, user.user_id) if each == "user.edit"]) == 1
    # Disabling would end sessions and logins: an edit that loses does neither.
    current = api.get(api.admin(), path)
    assert_problem(send(api, "PATCH", path, tag, {"disabled": True}), 412, "changed_meanwhile")
    assert api.get(api.admin(), path) == current
    record = api.services.stores.sessions.get(session_id)
    assert record and record.active is ("role" in change)
    # A login is no edit.
    before = tag_of(api, path)
    api.try_login(user.email)
    assert tag_of(api, path) == before
    assert send(api, "PATCH", path, before, {"disabled": True}).json()["version"] == 3
    assert not api.services.stores.sessions.get(session_id).active  # type: ignore[union-attr]


def test_an_unchanged_stream_is_not_sent_again(api: Api) -> None:
    path = stream_path(api)
    headers = {**api.admin(), "If-None-Match": tag_of(api, path)}
    assert api.http.get(path, headers=headers).status_code == 304
    assert send(api, "PATCH", path, None, {"title": "x"}).status_code == 200
    assert api.http.get(path, headers=headers).status_code == 200
    # Viewers see fewer fields, so their tag is another one, and names no version.
    viewer = api.http.get(path, headers=api.login(api.user(Role.VIEWER)))
    assert "." not in viewer.headers["ETag"]
