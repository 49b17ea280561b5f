import pytest

from player.terminal.ledger_table import ledger_lines
from player.terminal.text import cells, wrapped

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


def test_the_subject_is_on_the_same_line_or_in_a_narrow_terminal_below():
    assert [line.endswith(f"stream-1 lease 12 {SESSION}") for line in ledger_lines([LEASE], 120)] == [False, True]
    header, row, below = ledger_lines([LEASE], 50)
    assert header.split() == ["NO", "WHEN", "WHAT", "POINTS"] and row.endswith("-10.000")
    assert (below, len(ledger_lines([entry(1, "unserved", 0)], 50))) == ("     stream-1 lease 12", 2)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        *(("one two three", 13, ["one two three"]), ("one two three", 8, ["one two", "three"])),
        *(("one two three", 4, ["one", "two", "thre", "e"]), ("夜夜夜 x", 5, ["夜夜", "夜 x"])),
        *(("", 5, [""]), ("one", -3, ["o", "n", "e"])),
    ],
)
def test_wrapped(text, width, expected):
    assert wrapped(text, width) == expected
