import io
from dataclasses import replace

import pytest

from player.terminal.notices import LowNotices, start_notice
from player.terminal.screen import Screen, Status, status_line
from player.terminal.text import cells

STATUS = Status("Playing", "Big Buck Bunny", 12_345, 60_000, 245.9, 0)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (100, "Playing: Big Buck Bunny  12.345 points  4:05 left  60 points/min"),
        (64, "Playing: Big Buck Bunny  12.345 points  4:05 left  60 points/min"),
        (63, "Playing  12.345 points  4:05 left  60 points/min"),
        (40, "Playing  12.345 points  4:05 left"),
        (30, "12.345 points  4:05 left"),
        (20, "12.345 points"),
        (8, "12.345 …"),
        (0, ""),
    ],
)
def test_the_status_line_fits_its_width(width: int, expected: str) -> None:
    assert status_line(STATUS, width) == expected
    assert cells(expected) <= width


def test_numbers_stay_after_a_right_to_left_title() -> None:
    assert status_line(replace(STATUS, title="می\u200cخواهم"), 100).startswith(
        "Playing: می\u200cخواهم\u200e  12.345 points"
    )


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (100, "Playing: Big Buck Bunny  12.345 points  4:05 left with 3 screens on this wallet  60 points/min"),
        (93, "Playing: Big Buck Bunny  12.345 points  4:05 left (3 screens)  60 points/min"),
        (74, "Playing  12.345 points  4:05 left (3 screens)  60 points/min"),
        (50, "Playing  12.345 points  4:05 left (3 screens)"),
        (40, "12.345 points  4:05 left (3 screens)"),
        (30, "12.345 points  4:05 left"),
    ],
)
def test_the_status_line_counts_other_sessions(width: int, expected: str) -> None:
    assert status_line(replace(STATUS, others_spending=2), width) == expected
    assert cells(expected) <= width


def test_a_log_counts_other_sessions() -> None:
    out = io.StringIO()
    Screen(out).draw(Status("Playing", "T", 20_000, 60_000, 20, 1))
    assert out.getvalue() == "Playing: 20.000 points, 0:20 left with 2 screens on this wallet, 60 points/min\n"


def test_a_long_title_is_cut_first() -> None:
    line = status_line(Status("Playing", "x" * 70, 12_345, 60_000, 245, 0), 79)
    assert line == f"Playing: {'x' * 19}…  12.345 points  4:05 left  60 points/min"


def test_a_free_stream_has_no_time_left() -> None:
    assert status_line(Status("Playing", "T", 0, 0, None, 0), 80) == "Playing: T  0.000 points  free"


def test_without_a_terminal_only_changes_are_written() -> None:
    out = io.StringIO()
    screen = Screen(out)
    for seconds_left in (20, 19, 18):
        screen.draw(Status("Playing", "T", 20_000, 60_000, seconds_left, 0))
    screen.draw(Status("Playing", "T", 10_000, 60_000, 10, 0))
    screen.clear()
    assert out.getvalue() == (
        "Playing: 20.000 points, 0:20 left, 60 points/min\nPlaying: 10.000 points, 0:10 left, 60 points/min\n"
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_line_is_redrawn_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    screen = Screen(out)
    screen.draw(STATUS)
    screen.note("Something else.")
    assert out.getvalue() == (
        "\rPlaying: Big Buck Bunny  12.345 points  4:05 left  60 points/min\x1b[K\r\x1b[KSomething else.\n"
    )


def test_a_closed_terminal_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    screen = Screen(out)
    out.close()
    screen.draw(STATUS)
    screen.clear()


def low(seconds_left: float | None, others_spending: int = 0) -> Status:
    return Status("Playing", "T", 1_000, 60_000, seconds_left, others_spending)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((400, 301, 300, 299), ["5:00 left (1.000 points)"]),
        ((301, 119, 118), ["1:59 left (1.000 points)"]),
        ((121, 120, 61, 60, 1), ["2:00 left (1.000 points)", "1:00 left (1.000 points)"]),
        ((61, 59, 200, 59), ["0:59 left (1.000 points)", "0:59 left (1.000 points)"]),
        ((50, 10, 0), []),
        ((None, None), []),
    ],
)
def test_low_notices(times: tuple[float | None, ...], expected: list[str]) -> None:
    notices = LowNotices(times[0])
    assert [text for time in times[1:] if (text := notices.due(low(time)))] == expected


def test_a_low_notice_counts_other_sessions() -> None:
    assert LowNotices(301).due(low(299, 1)) == "4:59 left with 2 screens on this wallet (1.000 points)"


def test_start_notice() -> None:
    status = Status("Playing", "T", 90_000, 60_000, 100, 1)
    assert start_notice(status) == "T\n60 points/min, 90.000 points left (1:40 with 2 screens on this wallet)"
    assert start_notice(replace(status, others_spending=0)) == "T\n60 points/min, 90.000 points left (1:40)"
    free = Status("Playing", "T", 90_000, 0, None, 0)
    assert start_notice(free) == "T\nfree, 90.000 points left"
