from tests.chaos.picture_sampler import Sample, Stall, stalls


def samples(*positions: float | None, step_s: float = 0.25) -> list[Sample]:
    return [Sample(step_s * n, position) for n, position in enumerate(positions)]


def test_a_moving_picture_has_no_stall() -> None:
    assert stalls([]) == []
    assert stalls(samples(0.0, 0.2, 0.5, 0.5, 0.8, 1.0)) == []
    # Samples that come late are none: the machine was busy, but the picture went on.
    assert stalls([Sample(0.0, 1.0), Sample(3.0, 4.0), Sample(6.0, 7.0)]) == []


def test_a_standing_picture_has_one_also_while_it_lasts() -> None:
    assert stalls(samples(0.0, 1.0, 1.0, 1.0, 1.0, 1.3, 1.5)) == [Stall(0.25, 0.75, False)]
    assert stalls(samples(1.0, 2.0, 2.0, 2.0, 2.0)) == [Stall(0.25, 0.75, False)]
    # No picture is a standing one, but not before the first.
    assert stalls(samples(None, None, None, None, 1.0, 1.2)) == []
    assert stalls(samples(1.0, None, None, None, 2.0, 2.2)) == [Stall(0.0, 0.75, False)]


def test_what_mpv_says_of_its_cache_is_kept() -> None:
    given = [Sample(0.0, 1.0), Sample(1.0, 1.0, True), Sample(2.0, 1.0, True), Sample(3.0, 1.1), Sample(4.0, 1.1)]
    assert stalls(given) == [Stall(0.0, 2.0, True), Stall(3.0, 1.0, False)]
