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


@pytest.mark.parametrize("message", ["", " \u00a0 ", "x" * 201, "two\nlines", "\x1b[2J", "\u202esdrawkcab", "a\u2028b", 5])
def test_a_message_is_a_line_of_plain_text(api: Api, message: object) -> None:
    session_id = api.watch(api.viewer())
    body = {"session_id": session_id, "message": message}
    answer = api.http.post("/playback/kick", json=body, headers=api.admin())
    assert assert_problem(answer, 400, "invalid_request")["errors"][0]["field"] == "message"
    assert api.services.stores.sessions.get(session_id).active  # type: ignore[union-attr]
