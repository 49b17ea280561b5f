from fractions import Fraction

import pytest

from worker.encoding.output_rate import OutputRate, output_rate

NTSC, NTSC_FIELDS = Fraction(30000, 1001), Fraction(60000, 1001)
FILM = Fraction(24000, 1001)
USUAL = [
    *((25, 25), (FILM, FILM), (NTSC, NTSC), (60, 30), (NTSC_FIELDS, NTSC), (50, 25), (120, 30)),
    *((1, 16), (Fraction(1, 2), 16), (0, 30), (None, 30)),
    # Measured by time stamps of whole milliseconds: it is 30, and not 15.
    *((Fraction(303, 10), 30), (31, Fraction(31, 2))),
    # A picture an hour, as a sender can claim by its time stamps.
    *((Fraction(1, 3600), Fraction(4096, 225)), (Fraction(1, 2147483647), 16)),
]
BOUNDED = [
    *((50, 50, 50), (NTSC_FIELDS, 60, NTSC_FIELDS), (NTSC_FIELDS, 50, NTSC), (60, 60, 60), (Fraction(121, 2), 60, 60)),
    *((120, 60, 60), (25, 60, 25), (25, 12, 12), (25, 13, Fraction(25, 2)), (1, 10, 10), (60, 10, 10)),
    *((None, 60, 30), (None, 10, 10)),
]


@pytest.mark.parametrize(("rate", "fps_max", "published"), [*((rate, 30, made) for rate, made in USUAL), *BOUNDED])
def test_a_ladder_has_as_many_pictures_as_its_bound_allows(rate, fps_max, published) -> None:
    rate = None if rate is None else Fraction(rate)
    assert output_rate(rate, fps_max) == OutputRate(Fraction(published))


INTERLACED = [
    *((25, 50, 50, True), (25, 49, 25, False), (25, 30, 25, False), (12, 30, 24, True)),
    *((NTSC, 60, NTSC_FIELDS, True), (NTSC, 50, NTSC, False)),
    # Containers of which each packet is a field say the rate of these.
    *((50, 60, 50, True), (50, 30, 25, False)),
]


@pytest.mark.parametrize(("rate", "fps_max", "published", "fields"), INTERLACED)
def test_interlaced_pictures_become_two_where_the_bound_allows_both(rate, fps_max, published, fields) -> None:
    assert output_rate(Fraction(rate), fps_max, is_interlaced=True) == OutputRate(Fraction(published), fields=fields)
