"""The rule when a picture counts as stalled."""

from tests.chaos.picture_sampler import Sample, Stall, stalls


def samples(*positions: float | None, step_s: float = 0.25) -> list[Sample]:
    return [Sample(step_s * n, position) for n, position in enumerate(positions)]


def test_a_moving_picture_has_no_stall() -> None:
    assert stalls([]) == []
    assert stalls(samples(0.0, 0.2, 0.5, 0.5, 0.8, 1.0)) == []


def test_a_standing_picture_has_one() -> None:
    [stall] = stalls(samples(0.0, 1.0, 1.0, 1.0, 1.0, 1.3, 1.5))
    assert stall == Stall(0.25, 0.75, False)


def test_no_picture_is_a_standing_one_but_not_before_the_first() -> None:
    assert stalls(samples(None, None, None, None, 1.0, 1.2)) == []
    [stall] = stalls(samples(1.0, None, None, None, 2.0, 2.2))
    assert (stall.since_s, stall.length_s) == (0.0, 0.75)


def test_a_stall_that_lasts_is_reported() -> None:
    [stall] = stalls(samples(1.0, 2.0, 2.0, 2.0, 2.0))
    assert (stall.since_s, stall.length_s) == (0.25, 0.75)


def test_what_mpv_says_of_its_cache_is_kept() -> None:
    given = [Sample(0.0, 1.0), Sample(1.0, 1.0, True), Sample(2.0, 1.0, True), Sample(3.0, 1.1), Sample(4.0, 1.1)]
    assert stalls(given) == [Stall(0.0, 2.0, True), Stall(3.0, 1.0, False)]


def test_samples_that_come_late_are_no_stall() -> None:
    """The machine was busy, but the picture went on."""
    assert stalls([Sample(0.0, 1.0), Sample(3.0, 4.0), Sample(6.0, 7.0)]) == []
