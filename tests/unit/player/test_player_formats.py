"""What is written on a terminal: numbers, tables, the ledger, the status line and notices."""

import io
from dataclasses import replace

import pytest
from wcwidth import wcswidth

from chalicelib.domain.money.wallets import EntryKind
from player.commands.receipt import _served
from player.terminal import formats, tables
from player.terminal import text as texts
from player.terminal.ledger_table import KINDS, ledger_lines
from player.terminal.notices import LowNotices, start_notice
from player.terminal.screen import Screen, Status, status_line
from player.terminal.settlement import settlement_sentence
from player.terminal.text import cells, wrapped


@pytest.fixture(autouse=True)
def any_terminal(monkeypatch):
    """Measure as most terminals do, independent of TERM."""
    monkeypatch.setattr(texts, "wcstwidth", wcswidth)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (formats.points, {12_345: "12.345 points", 0: "0.000 points", 999: "0.999 points", -1_500: "-1.500 points"}),
        (lambda points: formats.amount(points, signed=True), {5: "+0.005", -5: "-0.005", 0: "+0.000"}),
        (formats.rate, {60_000: "60 points/min", 500: "0.5 points/min", 100_000: "100 points/min", 0: "free"}),
        (formats.clock, {245: "4:05", 0: "0:00", -3: "0:00", 59.9: "0:59", 3845: "1:04:05", 360_000: "100:00:00"}),
    ],
)
def test_numbers(shown, expected):
    assert {number: shown(number) for number in expected} == expected


def test_text_from_the_server_cannot_control_the_terminal():
    expected = {"\x1b[31mred\x07": "[31mred", "two\nlines": "two lines", "  plain ": "plain", "夜": "夜"}
    assert {text: texts.printable(text) for text in expected} == expected
    for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x9B, 0x1B, 0x2028, 0xFEFF, 0xD800):
        assert texts.printable(f"a{chr(code)}b") == "a b", hex(code)


def test_fit():
    expected = {("stream", 6): "stream", ("stream", 5): "stre…", ("x", 0): ""}
    expected |= {("夜夜夜", 6): "夜夜夜", ("夜夜夜", 5): "夜夜…"}
    assert {each: texts.fit(*each) for each in expected} == expected
    assert all(texts.cells(fitting) <= width for (_, width), fitting in expected.items())


@pytest.mark.parametrize("width", [10, 20, 40, 60, 200])
def test_a_table_fits_its_width(width):
    rows = [["stream-1", "A title that is rather long for a table", "live", "60"], ["s", "夜", "backoff", "1000"]]
    lines = tables.table(("STREAM", "TITLE", "STATE", "POINTS/MIN"), rows, width, right=(3,))
    assert len(lines) == 3 and all(texts.cells(line) <= width for line in lines)
    assert width < 200 or (lines[1].endswith("        60") and "long for a table" in lines[1])


FLAG = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
# With a joiner that keeps letters apart, and a character that is newer than Python 3.11.
TITLES = {"می\u200cخواهم": 7, "שלום\u200f!": 5, "e\u0301tude": 5, "Z\u0335\u0321": 1, "👨\u200d👩\u200d👧 family": 9}
TITLES |= {"夜と霧": 6} | dict.fromkeys(("क्षि", "❤\ufe0f", "👍🏽", "🇩🇪", "1\ufe0f\u20e3", FLAG, "\U0001fae9"), 2)


@pytest.mark.parametrize(("title", "cells"), TITLES.items())
def test_words_and_emoji_are_not_split(title, cells):
    assert (texts.printable(title), texts.cells(title), texts.fit(title, cells)) == (title, cells, title)
    if cells == 2:
        assert (texts.fit(f"{title}x", 2), texts.wrapped(title * 2, 2)) == ("…", [title, title])


def test_columns_are_aligned_for_titles_of_all_scripts():
    lines = tables.table(("TITLE", "STATE"), [[title, "live"] for title in TITLES], 40)
    assert {texts.cells(line.removesuffix("live").removesuffix("STATE")) for line in lines} == {11}


def test_a_receipt_names_what_a_server_did_not_measure():
    assert _served({"granted_ms": 6_000, "media_ms": None, "media_bytes": None}) == "not measured yet (of 0:06 granted)"


SESSION = "abcdefghijklmnopqrstuvwxyz"
NAME = "a-very-long-name-of-a-stream-that-no-operator-would-choose"


def entry(version, kind="lease", delta=-10_000, **more):
    return {"version": version, "kind": kind, "delta_millipoints": delta, "at_ms": 1_800_000_000_000, **more}


LEASE = entry(112, stream_id="stream-1", seq=12, session_id=SESSION)
PAYMENT = entry(9, "credit", 1_234_000, payment_id="gift-1", note="for all of the long evenings in winter")
LONG = entry(8, stream_id=NAME, seq=3, session_id=SESSION)


@pytest.mark.parametrize("width", [37, 40, 50, 60, 77, 78, 80, 99, 100, 120, 200])
def test_no_subject_is_cut_and_no_line_too_long(width):
    lines = ledger_lines([LEASE, PAYMENT, LONG], width)
    assert all(cells(line) <= width for line in lines), lines
    assert "…" not in "".join(lines)
    read = " ".join(" ".join(lines).split())
    assert "stream-1 lease 12" in read and "payment gift-1: for all of the long evenings in winter" in read
    assert NAME in "".join("".join(lines).split())


def test_a_reversal_has_plain_words_and_names_its_payment():
    reversal = entry(10, "reversal", -34_000, payment_id="gift-1", note="chargeback")
    for width, words in ((120, "payment reversed"), (60, "reversed")):
        read = " ".join(" ".join(ledger_lines([reversal], width)).split())
        assert f" {words} -34.000 payment gift-1: chargeback" in read


def test_the_subject_is_on_the_same_line_or_in_a_narrow_terminal_below():
    assert [line.endswith(f"stream-1 lease 12 {SESSION}") for line in ledger_lines([LEASE], 120)] == [False, True]
    header, row, below = ledger_lines([LEASE], 50)
    assert header.split() == ["NO", "WHEN", "WHAT", "POINTS"] and row.endswith("-10.000")
    assert (below, len(ledger_lines([entry(1, "unserved", 0)], 50))) == ("     stream-1 lease 12", 2)


def test_every_kind_of_entry_has_words():
    """Those of a newer server are shown as they are."""
    kinds = [kind.value for kind in EntryKind]
    assert {*kinds, "reversal"} == set(KINDS)
    narrow = "\n".join(ledger_lines([entry(1, kind) for kind in (*KINDS, "a_new_kind")], 60))
    assert all(short in narrow for _, short in KINDS.values()) and "a_new_kind" in narrow
    wide = "\n".join(ledger_lines([entry(1, kind) for kind in KINDS], 80))
    assert all(word in wide for word in ("fetched ahead", "not served", "open points paid", "payment reversed"))


def settled(media_ms, millipoints, reserved=8_000, debt=0):
    amounts = {"reserved_millipoints": reserved, "settled_debt_millipoints": debt}
    return {"settled_at_ms": 1, "settled_ms": media_ms, "settled_millipoints": millipoints, **amounts}


PENDING = {"settled_at_ms": None, "reserved_millipoints": 8_000}


@pytest.mark.parametrize(
    ("session", "sentence"),
    [
        *(({}, None), ({"settled_at_ms": None, "reserved_millipoints": 0}, None)),
        (PENDING, "up to 8.000 points may come back within 3 minutes"),
        (settled(8_000, -8_000, 0), "8 s were fetched ahead and are paid (-8.000 points)"),
        (settled(7_965, -7_965, 0), "7.965 s were fetched ahead and are paid (-7.965 points)"),
        (
            settled(8_000, -8_000, 0, 3_000),
            "8 s were fetched ahead (-8.000 points). 3.000 points were not in the wallet: the next start pays them,"
            " beside this cost",
        ),
        (settled(-12_000, 12_000, 0), "12 s were not delivered and came back (+12.000 points)"),
        (settled(-8_000, 8_000), "8 s were not fetched and came back (+8.000 points)"),
        (
            settled(-3_250, 3_250),
            "3.25 s were not fetched and came back (+3.250 points); what was fetched ahead is paid (4.750 points"
            " of the cost)",
        ),
        (
            settled(-20_000, 4_936, 4_936) | {"rate_millipoints_per_minute": 60_000},
            "20 s were not served, +4.936 points came back; the operator decides on the rest",
        ),
        (
            settled(-8_000, 8_000) | {"rate_millipoints_per_minute": 60_000},
            "8 s were not fetched and came back (+8.000 points)",
        ),
        (settled(-12_000, 0, 0), "12 s were not delivered; the operator decides on points for them"),
        (settled(0, 8_000), "what was served could not be measured, so the reserve came back (+8.000 points)"),
        (settled(0, 0), "what was fetched ahead is paid (8.000 points of the cost)"),
        (settled(0, 0, 0), "nothing was due"),
    ],
)
def test_a_settlement_in_words(session, sentence):
    assert settlement_sentence(session) == sentence


def test_wrapped():
    expected = {("one two three", 13): ["one two three"], ("one two three", 8): ["one two", "three"]}
    expected |= {("one two three", 4): ["one", "two", "thre", "e"], ("夜夜夜 x", 5): ["夜夜", "夜 x"]}
    expected |= {("", 5): [""], ("one", -3): ["o", "n", "e"]}
    assert {each: wrapped(*each) for each in expected} == expected


def test_fitting_lines_and_long_words_stay_as_they_are():
    text = "NAME  SIZE\none two three\nTop up at https://x.example"
    assert texts.fitted(text, 10) == ["NAME  SIZE", "one two", "three", "Top up at https://x.example"]


STATUS = Status("Playing", "Big Buck Bunny", 12_345, 60_000, 245.9, 0)
SHORT = Status("Playing", "T", 20_000, 60_000, 20, 0)


@pytest.mark.parametrize(
    ("others", "width", "expected"),
    [
        (0, 100, "Playing: Big Buck Bunny  12.345 points  4:05 left  60 points/min"),
        (0, 64, "Playing: Big Buck Bunny  12.345 points  4:05 left  60 points/min"),
        (0, 63, "Playing  12.345 points  4:05 left  60 points/min"),
        (0, 40, "Playing  12.345 points  4:05 left"),
        *((0, 30, "12.345 points  4:05 left"), (0, 20, "12.345 points"), (0, 8, "12.345 …"), (0, 0, "")),
        (2, 100, "Playing: Big Buck Bunny  12.345 points  4:05 left with 3 screens on this wallet  60 points/min"),
        (2, 93, "Playing: Big Buck Bunny  12.345 points  4:05 left (3 screens)  60 points/min"),
        (2, 74, "Playing  12.345 points  4:05 left (3 screens)  60 points/min"),
        (2, 50, "Playing  12.345 points  4:05 left (3 screens)"),
        *((2, 40, "12.345 points  4:05 left (3 screens)"), (2, 30, "12.345 points  4:05 left")),
    ],
)
def test_the_status_line_fits_its_width_and_counts_other_sessions(others, width, expected):
    assert status_line(replace(STATUS, others_spending=others), width) == expected and cells(expected) <= width


def test_titles_and_free_streams_in_the_status_line():
    right_to_left = status_line(replace(STATUS, title="می\u200cخواهم"), 100)
    assert right_to_left.startswith("Playing: می\u200cخواهم\u200e  12.345 points"), "numbers stay after it"
    assert status_line(replace(STATUS, title="x" * 70, seconds_left=245), 79) == (
        f"Playing: {'x' * 19}…  12.345 points  4:05 left  60 points/min"
    )
    assert status_line(Status("Playing", "T", 0, 0, None, 0), 80) == "Playing: T  0.000 points  free"


def test_without_a_terminal_only_changes_are_written():
    out = io.StringIO()
    screen = Screen(out)
    for seconds_left in (20, 19, 18):
        screen.draw(replace(SHORT, seconds_left=seconds_left))
    screen.draw(replace(SHORT, balance_millipoints=10_000, seconds_left=10))
    screen.draw(replace(SHORT, others_spending=1))
    screen.clear()
    assert out.getvalue().splitlines(keepends=True) == [
        "Playing: 20.000 points, 0:20 left, 60 points/min\n",
        "Playing: 10.000 points, 0:10 left, 60 points/min\n",
        "Playing: 20.000 points, 0:20 left with 2 screens on this wallet, 60 points/min\n",
    ]


def test_on_a_terminal_the_line_is_redrawn_in_place_and_a_closed_one_is_no_error(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    out.isatty = lambda: True
    screen = Screen(out)
    screen.draw(STATUS)
    screen.note("Something else.")
    line = "Playing: Big Buck Bunny  12.345 points  4:05 left  60 points/min"
    assert out.getvalue() == f"\r{line}\x1b[K\r\x1b[KSomething else.\n"
    out.close()
    screen.draw(STATUS)
    screen.clear()


def test_lines_above_the_status_line_are_wrapped_on_a_terminal_but_no_address(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Screen, "_width", lambda screen: 20)
    address = "https://pay.example.org/u_1"
    for is_terminal, lines in ((True, ["one two three four", "five"]), (False, ["one two three four five"])):
        out = io.StringIO()
        out.isatty = lambda is_terminal=is_terminal: is_terminal
        Screen(out).note(f"one two three four five\nTop up at {address}")
        assert out.getvalue().splitlines() == [*lines, f"Top up at {address}"]


def low(seconds_left, others_spending=0):
    return Status("Playing", "T", 1_000, 60_000, seconds_left, others_spending)


def test_low_notices():
    expected = {(400, 301, 300, 299): ["5:00"], (301, 119, 118): ["1:59"], (121, 120, 61, 60, 1): ["2:00", "1:00"]}
    expected |= {(61, 59, 200, 59): ["0:59", "0:59"], (50, 10, 0): [], (None, None): []}
    for times, notes in expected.items():
        notices = LowNotices(times[0])
        found = [text for time in times[1:] if (text := notices.due(low(time)))]
        assert found == [f"{text} left (1.000 points)" for text in notes], times
    assert LowNotices(301).due(low(299, 1)) == "4:59 left with 2 screens on this wallet (1.000 points)"


def test_start_notice():
    status = Status("Playing", "T", 90_000, 60_000, 100, 1)
    assert start_notice(status) == "T\n60 points/min, 90.000 points left (1:40 with 2 screens on this wallet)"
    assert start_notice(replace(status, others_spending=0)) == "T\n60 points/min, 90.000 points left (1:40)"
    assert start_notice(Status("Playing", "T", 90_000, 0, None, 0)) == "T\nfree, 90.000 points left"
