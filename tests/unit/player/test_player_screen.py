import io
from dataclasses import replace

import pytest

from player.terminal.notices import LowNotices, start_notice
from player.terminal.screen import Screen, Status, status_line
from player.terminal.text import cells

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


def low(seconds_left, others_spending=0):
    return Status("Playing", "T", 1_000, 60_000, seconds_left, others_spending)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((400, 301, 300, 299), ["5:00 left (1.000 points)"]),
        ((301, 119, 118), ["1:59 left (1.000 points)"]),
        ((121, 120, 61, 60, 1), ["2:00 left (1.000 points)", "1:00 left (1.000 points)"]),
        ((61, 59, 200, 59), ["0:59 left (1.000 points)", "0:59 left (1.000 points)"]),
        *(((50, 10, 0), []), ((None, None), [])),
    ],
)
def test_low_notices(times, expected):
    notices = LowNotices(times[0])
    assert [text for time in times[1:] if (text := notices.due(low(time)))] == expected
    assert LowNotices(301).due(low(299, 1)) == "4:59 left with 2 screens on this wallet (1.000 points)"


def test_start_notice():
    status = Status("Playing", "T", 90_000, 60_000, 100, 1)
    assert start_notice(status) == "T\n60 points/min, 90.000 points left (1:40 with 2 screens on this wallet)"
    assert start_notice(replace(status, others_spending=0)) == "T\n60 points/min, 90.000 points left (1:40)"
    assert start_notice(Status("Playing", "T", 90_000, 0, None, 0)) == "T\nfree, 90.000 points left"
