"""What `tollcast-admin` writes: tables that fit every terminal with whole ids, fields, live screens."""

import io
import json
import time

import click
import pytest

from player.terminal.text import cells
from tests.unit.admin import server_items
from tests.unit.admin.server_items import AUDIT, ENDED_SESSION, KEY, RECONCILIATION, SESSION, STREAM, USER, WORKER
from tollcast_admin.commands import blocks, canary, errors, keys, payments, reconcile, sessions, streams, users, workers
from tollcast_admin.display.actions import entry_lines
from tollcast_admin.display.columns import column_table
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import bits_of, text_of
from tollcast_admin.display.watching import LineDisplay, screen_text
from tollcast_admin.options.json_fields import json_text
from tollcast_admin.options.lists import ListView, list_lines

TABLES = {
    "streams": (streams.COLUMNS, STREAM, ["stream_id"]),
    "sessions": (sessions.ACTIVE, SESSION, ["session_id"]),
    "ended": (sessions.ENDED, ENDED_SESSION, ["session_id"]),
    "users": (users.COLUMNS, USER, ["user_id"]),
    "keys": (keys.COLUMNS, KEY, ["key_id"]),
    "reconcile": (reconcile.COLUMNS, RECONCILIATION, ["session_id", "reason"]),
    "workers": (workers.COLUMNS, WORKER, []),
    "blocks": (blocks.COLUMNS, server_items.BLOCK, ["block_id"]),
    "payments": (payments.COLUMNS, server_items.PAYMENT, ["payment_id"]),
    "canary": (canary.COLUMNS, server_items.CANARY, []),
    "errors": (errors.COLUMNS, server_items.ERROR, []),
    "totals": (reconcile.TOTALS, server_items.TOTALS, ["period"]),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("width", [80, 100, 132, 200])
def test_every_table_fits_and_keeps_what_is_copied(name, width):
    columns, item, whole = TABLES[name]
    lines = column_table(columns, [item, item], width)
    assert len(lines) == 3 and all(cells(line) <= width for line in lines), "\n".join(lines)
    for field in whole:
        assert item[field] in lines[1], f"{field} is cut"
    assert len(lines[0].split()) >= 3 and "\x1b" not in "".join(lines)


def test_a_key_is_valid_until_it_expires_or_is_revoked():
    soon, before = (time.time() + 60) * 1000, (time.time() - 60) * 1000
    states = {"valid": (soon, None), "expired": (before, None), "revoked": (before, before)}
    for state, (expires_at_ms, revoked_at_ms) in states.items():
        key = {**KEY, "expires_at_ms": expires_at_ms, "revoked_at_ms": revoked_at_ms}
        assert state in column_table(keys.COLUMNS, [key], 200)[1]


def test_a_wide_terminal_shows_every_column_and_a_narrow_one_the_important_ones():
    columns, item, _ = TABLES["sessions"]
    assert column_table(columns, [item], 300)[0].split() == [each.heading for each in columns]
    narrow = column_table(columns, [item], 80)[0]
    assert "SPENT" in narrow and "AGENT" not in narrow


def test_text_of_the_server_cannot_control_the_terminal():
    lines = column_table(streams.COLUMNS, [{**STREAM, "title": "a\x1b[31m\nb\u202e"}], 200)
    assert len(lines) == 2 and "\x1b" not in lines[1] and "\n" not in lines[1]
    assert field_lines([("Title", "a\x1b[2J"), ("None", None)], 80) == ["Title: a [2J"]


def test_fields_are_wrapped_below_themselves():
    assert field_lines([("A", "one two"), ("Long", "three")], 8) == ["A:    one two", "Long: three"]
    wrapped = field_lines([("Name", "word " * 20)], 40)
    assert all(cells(line) <= 40 for line in wrapped) and all(line.startswith("      ") for line in wrapped[1:])


@pytest.mark.parametrize("width", [70, 80, 200])
def test_actions_are_shown_whole_with_their_changes(width):
    lines = entry_lines([AUDIT, AUDIT], width)
    assert all(cells(line) <= width for line in lines) and AUDIT["target"] in lines[0]
    text = " ".join(" ".join(lines).split())
    assert "rate_millipoints_per_minute: 60000 → 500" in text and "slate: yes" in text and "reason: no sound" in text
    assert "until_ms: 2026-" in text
    ids = {"user_id": "u_y", "target": "u_y", "user_email": "bob@local", "by_email": "ann@local"}
    amounts = {
        "before": {"balance_millipoints": 1_500},
        "after": {"balance_millipoints": 0},
        "details": {"millipoints": -1},
    }
    text = " ".join(entry_lines([{**AUDIT, **ids, **amounts}], 200))
    assert "  bob@local" in text and "by ann@local from" in text
    assert "balance: 1.500 points → 0.000 points, amount: -0.001 points" in text


def test_the_reason_of_a_failed_run_of_the_canary_is_shown_whole():
    reason = "the session canaryabc cost 6000 millipoints, its ledger says 5999, and the kick said 6000"
    failed, ok = {**server_items.CANARY, "failure": reason}, {**server_items.CANARY, "is_ok": True, "failure": None}
    lines = canary.run_lines([failed, ok], 60)
    assert all(cells(line) <= 60 for line in lines) and len(lines) == 5
    assert reason in " ".join(" ".join(lines).split()) and "failed: cut_off" in lines[1] and " ok " in lines[-1]


def test_a_list_says_when_it_is_empty_or_has_more():
    view = ListView("/users", users.COLUMNS, "There are no accounts.", {})
    assert list_lines(view, [], False, 80) == ["There are no accounts."]
    assert list_lines(view, [USER], True, 80)[-1] == "These are the first 1. --limit shows more."
    assert len(list_lines(view, [USER], False, 80)) == 2


def test_json_has_the_chosen_fields():
    assert json.loads(json_text([USER], "email, role")) == [{"email": USER["email"], "role": USER["role"]}]
    assert json.loads(json_text(USER, "all")) == USER
    with pytest.raises(click.UsageError, match=r"'nothing'.*user_id"):
        json_text([USER], "email,nothing")
    assert "\n" not in json_text([USER, USER], "all", indent=None)


@pytest.mark.parametrize("rows", [3, 10, 24])
def test_a_live_screen_fits_the_terminal(rows):
    lines = [f"line {number} " + "x" * 100 for number in range(40)]
    text = screen_text(lines, "Every 2 s, last at 10:00:00. Ctrl-C ends it.", 60, rows)
    shown = text.removeprefix("\x1b[H").removesuffix("\x1b[K\x1b[J").split("\x1b[K\r\n")
    assert len(shown) <= rows and all(cells(line) <= 60 for line in shown)
    assert rows < 5 or (shown[-1].startswith("Every 2 s") and shown[-3] == f"… and {40 - rows + 3} more lines")


def test_a_pipe_gets_lines_only_when_they_changed(capsys):
    stream = io.StringIO()
    display = LineDisplay(stream)
    for lines, failed in ((["a"], False), (["a"], False), (["a"], True), (["b"], False)):
        display.show(lines, "a note", failed)
    display.close()
    assert stream.getvalue() == "a\nb\n" and capsys.readouterr().err == "a note\n"


def test_unknown_values_are_a_dash_never_a_zero():
    assert text_of(None) == bits_of(None) == "-" and text_of(0) == "0" and text_of(False) == "no"
    assert (bits_of(850_000), bits_of(999_600), bits_of(2_540_000)) == ("850 kbit/s", "1.0 Mbit/s", "2.5 Mbit/s")
