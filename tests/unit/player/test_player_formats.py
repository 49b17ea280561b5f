import pytest
from wcwidth import wcswidth

from player.commands.receipt import _served
from player.terminal import formats, tables
from player.terminal import text as texts


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


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("stream", 6, "stream"), ("stream", 5, "stre…"), ("夜夜夜", 6, "夜夜夜"), ("夜夜夜", 5, "夜夜…"), ("x", 0, "")],
)
def test_fit(text, width, expected):
    assert texts.fit(text, width) == expected and texts.cells(expected) <= width


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
