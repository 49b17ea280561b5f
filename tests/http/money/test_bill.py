"""What protects viewers, over HTTP: caps, keys, receipts and statements."""

import csv
from io import StringIO

from chalicelib.api.money.statements import COLUMNS
from tests.http.conftest import Api, assert_problem
from tests.http.money.test_playback import wait_for_beat

KEY = "0123456789abcdef"


def set_cap(api: Api, headers: dict[str, str], cap: int | None) -> object:
    answer = api.http.put("/me/wallet/cap", json={"daily_cap_millipoints": cap}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["daily_cap_millipoints"]


def test_a_start_with_a_key_is_made_once(api: Api) -> None:
    headers, stream_id = api.viewer(), api.live_stream()
    first = api.start(headers, stream_id, idempotency_key=KEY, max_points=50).json()
    again = api.start(headers, stream_id, idempotency_key=KEY, max_points=50)
    assert again.status_code == 201
    same = {name: value for name, value in first.items() if name in ("session_id", "seq", "paid_until_ms")}
    assert {name: again.json()[name] for name in same} == same
    assert (again.json()["outcome"], again.json()["charged_millipoints"]) == ("replay", 10_000)
    assert api.get(headers, "/me/wallet")["balance_millipoints"] == 90_000
    assert_problem(api.start(headers, stream_id, idempotency_key=KEY), 409, "idempotency_mismatch")
    # The same key of another viewer starts another session.
    assert api.start(api.viewer(), stream_id, idempotency_key=KEY).json()["session_id"] != first["session_id"]
    # It is found even while the stream is down, and returns its end afterwards.
    api.end(headers, first["session_id"])
    ended = api.start(headers, stream_id, idempotency_key=KEY, max_points=50)
    assert (ended.status_code, ended.json()["end_reason"]) == (410, "viewer_stopped")
    bad = api.start(headers, stream_id, idempotency_key="short")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "idempotency_key")


def test_a_daily_cap_is_set_kept_and_lifted(api: Api) -> None:
    headers, stream_id = api.viewer(), api.live_stream()
    wallet = api.get(headers, "/me/wallet")
    assert (wallet["daily_cap_millipoints"], wallet["spent_today_millipoints"]) == (None, 0)
    assert wallet["day_ends_at_ms"] % 86_400_000 == 0
    assert set_cap(api, headers, 12_000) == 12_000
    session_id = api.start(headers, stream_id).json()["session_id"]
    wait_for_beat(api, session_id, headers)
    sold = api.beat(headers, session_id, 2).json()
    assert (sold["outcome"], sold["charged_millipoints"]) == ("poor", 2_000)
    assert api.get(headers, "/me/wallet")["spent_today_millipoints"] == 12_000
    wait_for_beat(api, session_id, headers)
    over = api.beat(headers, session_id, 3)
    assert (over.status_code, over.json()["end_reason"]) == (402, "daily_cap_reached")
    assert_problem(api.start(headers, stream_id), 402, "daily_cap_reached")
    assert set_cap(api, headers, None) is None
    assert api.start(headers, stream_id).status_code == 201


def test_a_full_stream_says_so_and_replace_takes_ones_own_place(api: Api) -> None:
    stream_id = api.live_stream(viewers_max=1)
    first, second = api.viewer(), api.viewer()
    held = api.start(first, stream_id).json()["session_id"]
    refused = api.start(second, stream_id, replace=True)
    assert (refused.status_code, refused.json()["code"], refused.json()["sessions"]) == (409, "stream_full", [])
    own = api.start(first, stream_id)
    assert [each["session_id"] for each in own.json()["sessions"]] == [held]
    assert api.start(first, stream_id, replace=True).status_code == 201
    assert api.get(first, f"/me/sessions/{held}")["end_reason"] == "superseded"


def test_a_receipt_adds_up_to_what_the_session_cost(api: Api) -> None:
    stream_id = api.live_stream()
    session_id = api.start(headers := api.viewer(), stream_id).json()["session_id"]
    for seq in (2, 3):
        wait_for_beat(api, session_id, headers)
        assert api.beat(headers, session_id, seq).status_code == 200
    api.end(headers, session_id)
    session = api.get(headers, f"/me/sessions/{session_id}")
    lines = api.all_items(headers, f"/me/sessions/{session_id}/ledger", limit=2)
    assert [line["kind"] for line in lines] == ["lease", "lease", "lease", "refund"]
    assert {(line["session_id"], line["stream_id"]) for line in lines} == {(session_id, stream_id)}
    assert -sum(line["delta_millipoints"] for line in lines) == session["charged_millipoints"]
    assert session["granted_ms"] == 30_000
    assert_problem(api.http.get(f"/me/sessions/{session_id}/ledger", headers=api.viewer()), 404, "session_not_found")


def test_a_statement_comes_as_a_document_and_as_a_table_that_say_the_same(api: Api) -> None:
    headers, stream_id = api.viewer(), api.live_stream()
    for _ in range(4):
        session_id = api.start(headers, stream_id).json()["session_id"]
        api.end(headers, session_id)
    document = api.get(headers, "/me/ledger/export")
    assert (document["format"], document["next_after_version"]) == ("tollcast-statement-1", None)
    assert [line["version"] for line in document["lines"]] == list(range(1, 10))
    assert document["closing"]["balance_millipoints"] == api.get(headers, "/me/wallet")["balance_millipoints"]
    assert document["closing"]["hash"] == document["lines"][-1]["hash"]
    table = api.http.get("/me/ledger/export?format=csv", headers=headers)
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    opening, *rows = csv.DictReader(StringIO(table.text))
    assert tuple(opening) == COLUMNS
    assert (opening["kind"], opening["entry_id"]) == ("opening", document["user_id"])
    assert opening["hash"] == document["opening"]["hash"]
    said = [{name: "" if value is None else str(value) for name, value in line.items()} for line in document["lines"]]
    assert [{name: row[name] for name in said[0]} for row in rows] == said
    part = api.get(headers, "/me/ledger/export?after_version=5")
    assert (part["lines"], part["opening"]["hash"]) == (document["lines"][5:], document["lines"][4]["hash"])
    assert api.get(headers, "/me/ledger/export?after_version=99")["lines"] == []
