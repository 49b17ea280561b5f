"""The published frame rate of a source, by its rate, its fields and the ladder's bound."""

from fractions import Fraction

import pytest

from worker.encoding.output_rate import OutputRate, output_rate

NTSC, NTSC_FIELDS = Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("rate", "published"),
    [
        (Fraction(25), Fraction(25)),
        (Fraction(24000, 1001), Fraction(24000, 1001)),
        (NTSC, NTSC),
        (Fraction(60), Fraction(30)),
        (NTSC_FIELDS, NTSC),
        (Fraction(50), Fraction(25)),
        (Fraction(120), Fraction(30)),
        (Fraction(1), Fraction(16)),
        (Fraction(1, 2), Fraction(16)),
        # Measured by time stamps of whole milliseconds: it is 30, and not 15.
        (Fraction(303, 10), Fraction(30)),
        (Fraction(31), Fraction(31, 2)),
        # A picture an hour, as a sender can claim by its time stamps.
        (Fraction(1, 3600), Fraction(4096, 225)),
        (Fraction(1, 2147483647), Fraction(16)),
        (Fraction(0), Fraction(30)),
        (None, Fraction(30)),
    ],
)
def test_the_published_frame_rate_of_usual_ladders(rate: Fraction | None, published: Fraction) -> None:
    assert output_rate(rate, 30) == OutputRate(published)


@pytest.mark.parametrize(
    ("rate", "fps_max", "published"),
    [
        (Fraction(50), 50, Fraction(50)),
        (NTSC_FIELDS, 60, NTSC_FIELDS),
        (NTSC_FIELDS, 50, NTSC),
        (Fraction(60), 60, Fraction(60)),
        (Fraction(121, 2), 60, Fraction(60)),
        (Fraction(120), 60, Fraction(60)),
        (Fraction(25), 60, Fraction(25)),
        (Fraction(25), 12, Fraction(12)),
        (Fraction(25), 13, Fraction(25, 2)),
        (Fraction(1), 10, Fraction(10)),
        (Fraction(60), 10, Fraction(10)),
        (None, 60, Fraction(30)),
        (None, 10, Fraction(10)),
    ],
)
def test_a_ladder_has_as_many_pictures_as_its_bound_allows(rate, fps_max, published) -> None:
    assert output_rate(rate, fps_max) == OutputRate(published)


@pytest.mark.parametrize(
    ("rate", "fps_max", "expected"),
    [
        (Fraction(25), 50, OutputRate(Fraction(50), fields=True)),
        (Fraction(25), 49, OutputRate(Fraction(25))),
        (Fraction(25), 30, OutputRate(Fraction(25))),
        (NTSC, 60, OutputRate(NTSC_FIELDS, fields=True)),
        (NTSC, 50, OutputRate(NTSC)),
        # Containers of which each packet is a field say the rate of these.
        (Fraction(50), 60, OutputRate(Fraction(50), fields=True)),
        (Fraction(50), 30, OutputRate(Fraction(25))),
        (Fraction(12), 30, OutputRate(Fraction(24), fields=True)),
    ],
)
def test_interlaced_pictures_become_two_where_the_bound_allows_both(rate, fps_max, expected) -> None:
    assert output_rate(rate, fps_max, is_interlaced=True) == expected
