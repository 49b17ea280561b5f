"""Kicks with a message, and blocks."""

import pytest

from tests.http.conftest import Api, assert_problem

MESSAGE = "Please write to help@example.org first — thank you. 🙏🏽"


def test_the_message_of_a_kick_reaches_the_viewer(api: Api) -> None:
    session_id = api.watch(headers := api.viewer())
    kicked = api.end(api.admin(), session_id, "kick", reason="rude", message=MESSAGE)
    assert (kicked["end_reason"], kicked["message"]) == ("kicked", MESSAGE)
    over = assert_problem(api.beat(headers, session_id, 2), 403, "kicked")
    assert over["message"] == MESSAGE
    assert api.end(headers, session_id)["message"] == MESSAGE, "a stop returns the same end"
    assert api.get(headers, f"/me/sessions/{session_id}")["message"] == MESSAGE
    [entry] = [each for each in api.get(api.admin(), "/audit")["items"] if each["target"] == session_id]
    assert entry["details"]["message"] == MESSAGE


def test_an_end_before_the_kick_keeps_its_reason_and_has_no_message(api: Api) -> None:
    session_id = api.watch(headers := api.viewer())
    api.end(headers, session_id)
    late = api.end(api.admin(), session_id, "kick", message=MESSAGE)
    assert (late["end_reason"], late["message"]) == ("viewer_stopped", None)
    assert api.beat(headers, session_id, 2).json()["message"] is None


@pytest.mark.parametrize(
    "message", ["", " \u00a0 ", "x" * 201, "two\nlines", "\x1b[2J", "\u202esdrawkcab", "a\u2028b", 5]
)
def test_a_message_is_a_line_of_plain_text(api: Api, message: object) -> None:
    session_id = api.watch(api.viewer())
    body = {"session_id": session_id, "message": message}
    answer = api.http.post("/playback/kick", json=body, headers=api.admin())
    assert assert_problem(answer, 400, "invalid_request")["errors"][0]["field"] == "message"
    assert api.services.stores.sessions.get(session_id).active  # type: ignore[union-attr]


def test_a_block_refuses_starts_until_it_is_lifted(api: Api) -> None:
    user, stream_id, other_id = api.user(millipoints=100_000), api.live_stream(), api.live_stream()
    headers = api.login(user)
    session_id = api.start(headers, stream_id).json()["session_id"]
    before_ms = api.services.stores.clock.now_ms()
    body = {"reason": "rude", "message": MESSAGE, "block_minutes": 10, "block_stream": True}
    block = api.end(api.admin(), session_id, "kick", **body)["block"]
    assert block["block_id"] == f"{user.user_id}.{stream_id}" and block["session_id"] == session_id
    assert block["until_ms"] - before_ms == pytest.approx(600_000, abs=30_000)
    refused = assert_problem(api.start(headers, stream_id), 403, "blocked")
    assert {name: refused[name] for name in ("until_ms", "stream_id", "message")} == {
        name: block[name] for name in ("until_ms", "stream_id", "message")
    }
    allowed = api.start(headers, other_id)
    assert allowed.status_code == 201
    api.end(headers, allowed.json()["session_id"])
    for filters in ({}, {"user_id": user.user_id}, {"stream_id": stream_id}):
        assert api.all_items(api.admin(), "/blocks", limit=1, **filters) == [block]
    assert api.get(api.admin(), "/blocks", stream_id=other_id)["items"] == []
    assert api.http.delete(f"/blocks/{user.user_id}", headers=api.admin()).json()["code"] == "block_not_found"
    lifted = api.http.delete(f"/blocks/{block['block_id']}", headers=api.admin())
    assert lifted.json() == block
    assert api.start(headers, stream_id).status_code == 201
    assert_problem(api.http.delete(f"/blocks/{block['block_id']}", headers=api.admin()), 404, "block_not_found")


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("block_minutes", {"block_minutes": 0}),
        ("block_minutes", {"block_minutes": 525_601}),
        ("body", {"block_stream": True}),
    ],
)
def test_a_block_has_bounds(api: Api, field: str, more: dict[str, object]) -> None:
    body = {"session_id": api.watch(api.viewer()), **more}
    answer = api.http.post("/playback/kick", json=body, headers=api.admin())
    assert assert_problem(answer, 400, "invalid_request")["errors"][0]["field"] == field
