"""The frame rate that a run makes of its source, within the ladder's bound."""

from dataclasses import dataclass
from fractions import Fraction

RATE_DEFAULT = Fraction(30)
# Below this a one-second segment would hold too few pictures to be cut where it should.
RATE_MIN = Fraction(10)
# No interlaced picture comes more often. A source that states a higher rate counts fields.
INTERLACED_RATE_MAX = Fraction(31)
# Rates that are measured by time stamps are a little off: up to this much above the bound is allowed.
TOLERANCE = Fraction(102, 100)


@dataclass(frozen=True)
class OutputRate:
    """The pictures a second to publish. `fields`: each field of an interlaced picture becomes one of them."""

    rate: Fraction
    fields: bool = False


def output_rate(rate: Fraction | None, fps_max: int, *, is_interlaced: bool = False) -> OutputRate:
    """Return the rate to publish of a source with this rate; None: the source does not state one.

    It is the source's own rate, or its fields', divided until it is `fps_max` at most and doubled until it is 10.
    """
    rate = rate if rate and rate > 0 else RATE_DEFAULT
    bound = fps_max * TOLERANCE
    if is_interlaced:
        rate = rate / 2 if rate > INTERLACED_RATE_MAX else rate
        if 2 * rate <= bound:
            return OutputRate(_within(2 * rate, fps_max), fields=True)
    return OutputRate(_within(rate / -(-rate // bound), fps_max))


def _within(rate: Fraction, fps_max: int) -> Fraction:
    while rate < RATE_MIN:
        rate *= 2
    # Not earlier: a picture an hour would be rounded to 0, which no doubling raises.
    return min(rate, Fraction(fps_max)).limit_denominator(1001)
