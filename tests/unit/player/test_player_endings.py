import json

import pytest
from click.testing import CliRunner

from player.cli import COMMANDS, main
from player.commands.play import _error_json
from player.commands.wallet import _millipoints
from player.endings import SIGNALLED, Ending
from player.errors import UnreachableError
from player.exit_status import MEANINGS, ExitStatus
from player.http.client import ProblemError
from player.session.charges import Charges
from player.session.playback_api import Totals
from player.session.receipt import Receipt
from player.session.start_errors import ending_of_refused_start, start_error

EXIT_STATUS = {
    "viewer_stopped": 0,
    **dict.fromkeys(("balance_exhausted", "max_points_reached", "daily_cap_reached"), 3),
    "lease_expired": 6,
    **dict.fromkeys(("kicked", "superseded", "stream_paused", "stream_stopped", "a_reason_of_the_future"), 8),
}


def test_each_end_reason_and_signal_has_its_exit_status():
    endings = [Ending.of_reason(reason) for reason in EXIT_STATUS]
    assert {ending.end_reason: ending.exit_status for ending in endings} == EXIT_STATUS
    assert all(ending.sentence.endswith(".") for ending in endings)
    assert {name: int(e.exit_status) for name, e in SIGNALLED.items()} == {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}


def test_every_command_has_help_and_that_of_play_documents_every_exit_status():
    for name in COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0 and "Usage:" in result.output
    text = CliRunner().invoke(main, ["play", "--help"]).output
    assert all(f"{status.value:>3}  {MEANINGS[status]}" in text for status in ExitStatus)


def test_a_cap_has_up_to_three_decimals_or_is_none():
    caps = {"500/day": 500_000, "0.5/day": 500, "0/day": 0, "1.125": 1_125, " None ": None}
    assert {given: _millipoints(given) for given in caps} == caps


@pytest.mark.parametrize("given", ["x", "-5/day", "500/month", "1.2345/day", "1e3", "٥/day", "9999999999999", "."])
def test_a_bad_cap_is_refused_with_what_is_allowed(given):
    result = CliRunner().invoke(main, ["wallet", "cap", "--", given])
    assert result.exit_code == 2 and "500/day" in result.output and "none" in result.output


def test_the_servers_sentence_keeps_its_one_period():
    for detail in ("it did not answer in time", "Something went wrong on our side. It was logged."):
        assert ".." not in UnreachableError("http://x", detail).format_message()


def problem(status, code, **fields):
    return ProblemError(status, {"code": code, "detail": "No.", **fields})


@pytest.mark.parametrize(
    ("status", "code", "expected", "words"),
    [
        *((402, "balance_exhausted", 3, "no points left"), (402, "daily_cap_reached", 3, "player wallet")),
        (402, "debt_open", 3, "paid first"),
        *((409, "stream_full", 4, "player streams"), (409, "idempotency_mismatch", 4, "player play stream-1")),
        (403, "blocked", 4, "blocked you on every stream until"),
        *((404, "stream_not_found", 4, "player streams"), (409, "stream_not_live", 4, "player streams")),
        *((409, "session_limit", 4, "--replace"), (403, "forbidden", 4, "forbidden")),
        (429, "too_many_requests", 4, "too_many_requests"),
    ],
)
def test_a_refused_start(status, code, expected, words):
    error = start_error(problem(status, code), "stream-1")
    assert code in error.format_message() and error.exit_code == expected and words in error.format_message()


def test_a_start_without_points_says_where_to_top_up():
    page = {"top_up_url": "https://pay.example.org/u_1"}
    text = start_error(problem(402, "balance_exhausted", **page), "stream-1").format_message()
    expected = "You have no points left (balance_exhausted).\nTop up at https://pay.example.org/u_1\n"
    assert text == f"{expected}Then: player play stream-1"
    debt = {"debt_millipoints": 4_000, "balance_millipoints": 1_500}
    text = start_error(problem(402, "debt_open", **debt), "stream-1").format_message()
    expected = "4.000 points are open from earlier viewing, and are paid first; you have 1.500 points (debt_open)."
    assert text == f"{expected} Ask the operator for points, then: player play stream-1"
    ending = ending_of_refused_start(problem(402, "debt_open", **debt))
    assert (ending.end_reason, int(ending.exit_status)) == ("debt_open", 3)
    assert ending.sentence == "4.000 points are open from earlier viewing; they are paid first."


@pytest.mark.parametrize("code", ["session_limit", "stream_full"])
def test_a_limit_names_the_viewers_sessions(code):
    sessions = [{"session_id": "s-9", "stream_id": "stream-7", "started_at_ms": 0}]
    text = start_error(problem(409, code, sessions=sessions), "stream-1").format_message()
    assert "stream-7 (session s-9" in text and "--replace" in text


def test_a_start_of_an_ended_session_reports_its_end_and_cost_and_so_does_a_restart():
    error = start_error(problem(403, "kicked", end_reason="kicked", charged_millipoints=9_000), "stream-1")
    assert (error.exit_code, error.end_reason) == (8, "kicked")
    assert "9.000 points" in error.format_message() and "player receipt" in error.format_message()
    expected = {
        "daily_cap_reached": 3,
        "balance_exhausted": 3,
        "stream_not_live": 8,
        "forbidden": 4,
        "session_limit": 4,
    }
    assert {code: ending_of_refused_start(problem(409, code)).exit_status for code in expected} == expected


def test_charges_count_each_heartbeat_once_and_prefer_the_servers_total():
    charges = Charges()
    for seq, charged in ((1, 10_000), (2, 10_000), (2, 10_000), (2, 0)):
        charges.add("s-1", seq, charged)
    assert (charges.spent_millipoints, charges.is_settled("s-1")) == (20_000, False)
    charges.settle("s-1", Totals("kicked", 17_500, None, None))
    charges.add("s-2", 1, 10_000)
    assert (charges.spent_millipoints, charges.session_ids) == (27_500, ["s-1", "s-2"])
    assert [charges.whole_points_left(limit) for limit in (30, 20, None)] == [2, 0, None]


def test_a_receipt_names_the_end_reason_and_the_watched_time_of_the_server_or_else_of_mpv():
    charges = Charges(balance_millipoints=0)
    for session_id in ("s-1", "s-2"):
        charges.add(session_id, 1, 1_000)
    receipt = Receipt(Ending.of_reason("kicked"), "stream-1", charges, 61_000, 900, settled=True)
    charges.settle("s-1", Totals("kicked", 1_000, 0, 30_000))
    assert (charges.watched_ms, receipt.watched_ms) == (None, 61_000)
    charges.settle("s-2", Totals("kicked", 1_000, 0, 32_500))
    assert (charges.watched_ms, receipt.watched_ms) == (62_500, 62_500)
    assert receipt.lines()[1].startswith("Watched 1:02,") and json.loads(receipt.as_json())["watched_ms"] == 62_500
    charges = Charges(balance_millipoints=72_500)
    charges.add("s-1", 1, 27_500)
    receipt = Receipt(Ending.of_reason("balance_exhausted"), "stream-1", charges, 245_000, 900, settled=True)
    watched = "Watched 4:05, spent 27.500 points, 72.500 points left."
    ahead = "Up to 8 s that were fetched ahead may be charged (see: player receipt)."
    assert receipt.lines() == ["Your points are used up. (balance_exhausted)", watched, ahead, "Session s-1"]
    assert json.loads(receipt.as_json())["exit_status"] == 3


def test_the_last_line_of_a_receipt_is_the_operators_message():
    fields = {
        "end_reason": "kicked",
        "charged_millipoints": 1_000,
        "message": "Write to\n\x1b[2J us \u202e " + "x" * 300,
    }
    totals, charges = Totals.from_fields(fields), Charges()
    charges.add("s-1", 1, 1_000)
    receipt = Receipt(Ending.of_reason("kicked", totals.message), "stream-1", charges, 0, 0, settled=False)
    message = "Write to  [2J us   " + "x" * 181
    assert receipt.lines()[-1] == f"Message from the operator: {message}"
    assert json.loads(receipt.as_json())["operator_message"] == message
    silent = Receipt(Ending.of_reason("kicked"), "stream-1", charges, 0, 0, settled=False)
    assert silent.lines()[-1] == "Session s-1" and json.loads(silent.as_json())["operator_message"] is None
    error = start_error(problem(403, "kicked", **fields), "stream-1")
    assert error.format_message().endswith(f"See: player receipt\nMessage from the operator: {message}")
    assert error.operator_message == message


def test_a_block_has_the_operators_message_for_people_and_scripts():
    refusal = problem(403, "blocked", until_ms=1_000, message="Write to\nus.")
    error, ending = start_error(refusal, "stream-1"), ending_of_refused_start(refusal)
    assert error.format_message().endswith("\nMessage from the operator: Write to us.")
    assert json.loads(_error_json("stream-1", error))["operator_message"] == "Write to us."
    # Of a start that was to go on after a wait.
    receipt = Receipt(ending, "stream-1", Charges(), 0, 0, settled=True)
    assert receipt.lines()[-1] == "Message from the operator: Write to us."


def test_a_receipt_names_the_reserve():
    charges = Charges()
    charges.add("s-1", 1, 10_000)
    charges.settle("s-1", Totals("viewer_stopped", 10_000, 90_000, 2_000, reserved_millipoints=8_000))
    receipt = Receipt(Ending.of_reason("viewer_stopped"), "stream-1", charges, 2_000, 50, settled=True)
    assert receipt.lines()[2] == "Up to 8.000 points come back if they were not fetched (see: player receipt)."
    assert json.loads(receipt.as_json())["reserved_millipoints"] == 8_000
