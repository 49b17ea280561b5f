import pytest

from player import formats


@pytest.mark.parametrize(
    ("millipoints", "expected"),
    [(12_345, "12.345 points"), (0, "0.000 points"), (999, "0.999 points"), (-1_500, "-1.500 points")],
)
def test_points(millipoints: int, expected: str) -> None:
    assert formats.points(millipoints) == expected


@pytest.mark.parametrize(("millipoints", "expected"), [(5, "+0.005"), (-5, "-0.005"), (0, "+0.000")])
def test_signed_amounts(millipoints: int, expected: str) -> None:
    assert formats.amount(millipoints, signed=True) == expected


@pytest.mark.parametrize(
    ("rate", "expected"), [(60_000, "60 points/min"), (500, "0.5 points/min"), (100_000, "100 points/min"), (0, "free")]
)
def test_rate(rate: int, expected: str) -> None:
    assert formats.rate(rate) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(245, "4:05"), (0, "0:00"), (-3, "0:00"), (59.9, "0:59"), (3845, "1:04:05"), (360_000, "100:00:00")],
)
def test_clock(seconds: float, expected: str) -> None:
    assert formats.clock(seconds) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x07", "[31mred"),
        ("two\nlines", "two lines"),
        ("  plain ", "plain"),
        ("夜", "夜"),
        ("a\u202eb", "a b"),
    ],
)
def test_text_from_the_server_cannot_steer_the_terminal(text: str, expected: str) -> None:
    assert formats.printable(text) == expected


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("stream", 6, "stream"), ("stream", 5, "stre…"), ("夜夜夜", 6, "夜夜夜"), ("夜夜夜", 5, "夜夜…"), ("x", 0, "")],
)
def test_fit(text: str, width: int, expected: str) -> None:
    assert formats.fit(text, width) == expected
    assert formats.cells(formats.fit(text, width)) <= width


@pytest.mark.parametrize("width", [10, 20, 40, 60, 200])
def test_a_table_fits_its_width(width: int) -> None:
    rows = [["stream-1", "A title that is rather long for a table", "live", "60"], ["s", "夜", "backoff", "1000"]]
    lines = formats.table(("STREAM", "TITLE", "STATE", "POINTS/MIN"), rows, width, right=(3,))
    assert len(lines) == 3
    assert all(formats.cells(line) <= width for line in lines)
    if width == 200:
        assert lines[1].endswith("        60") and "long for a table" in lines[1]
