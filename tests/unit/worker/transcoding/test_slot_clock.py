import pytest

from worker.transcoding.slot_clock import IDLE_S, PATIENCE_STEP_US, PATIENCE_US, PATIENCE_US_MAX, Patience, SlotClock

SLOT_US = 40_000.0
ORIGIN_US = 1_000_000


DUES = [
    # Both are there: the picture nearer to the next slot than to this one, the sound up to its end.
    *((20_000, 40_000, True), (19_999, 40_000, False), (20_000, 39_999, False)),
    # A source without sound.
    *((20_000, None, True), (19_999, None, False), (None, None, False)),
    # The sound does not come: the picture says how much time has passed.
    *((40_000 + PATIENCE_US, 0, True), (40_000 + PATIENCE_US - 1, 0, False)),
    # The picture does not come, or has not come yet at all.
    *((0, 20_000 + PATIENCE_US, True), (0, 20_000 + PATIENCE_US - 1, False)),
    *((None, 20_000 + PATIENCE_US, True), (None, 40_000, False)),
]


@pytest.mark.parametrize(("picture_us", "sound_us", "is_due"), DUES)
def test_a_slot_is_due_when_both_have_come_or_one_is_far_ahead(picture_us, sound_us, is_due) -> None:
    clock = SlotClock(ORIGIN_US, SLOT_US)
    for number in range(3):
        since_us = ORIGIN_US + number * SLOT_US
        given = [None if each is None else since_us + each for each in (picture_us, sound_us)]
        assert clock.is_due(*given) is is_due
        clock.advance()


def test_slots_do_not_drift_in_a_day() -> None:
    slot_us = 1_001_000 / 24
    clock = SlotClock(ORIGIN_US, slot_us)
    clock.number = 24 * 3_600 * 24
    assert clock.begins_us == pytest.approx(ORIGIN_US + 24 * 3_600 * 1_001_000, abs=1)
    assert clock.ends_us - clock.begins_us == pytest.approx(slot_us, abs=1e-3)


def test_patience_grows_with_what_comes_late_and_is_bounded() -> None:
    patience = Patience()
    for late_us in (300_000, -10 * PATIENCE_STEP_US):
        patience.was_late(late_us)
        assert patience.us == PATIENCE_US + 300_000 + PATIENCE_STEP_US
    patience.was_late(60_000_000)
    assert patience.us == PATIENCE_US_MAX
    # Patience with one track is not patience with the other.
    clock = SlotClock(ORIGIN_US, SLOT_US)
    clock.sound_patience.was_late(500_000)
    picture_us = ORIGIN_US + SLOT_US + PATIENCE_US
    assert not clock.is_due(picture_us, ORIGIN_US)
    assert clock.is_due(ORIGIN_US, picture_us)


def idled(clock: SlotClock, now_s: float, heard_s: float) -> int:
    """Return how many slots the clock makes now."""
    before = clock.number
    while clock.idles(now_s, heard_s):
        clock.advance()
    return clock.number - before


def test_the_clock_goes_on_where_nothing_comes() -> None:
    clock = SlotClock(ORIGIN_US, SLOT_US)
    for _ in range(10):
        clock.advance()
    heard_s = 100.0
    assert idled(clock, heard_s + IDLE_S - 0.01, heard_s) == 0 and not clock.is_idle
    # From then on as many slots as time passes.
    assert idled(clock, heard_s + IDLE_S, heard_s) == 0 and clock.is_idle
    assert idled(clock, heard_s + IDLE_S + 1.001, heard_s) == 25
    assert idled(clock, heard_s + IDLE_S + 2.001, heard_s) == 25
    # What was late continues where it was.
    clock, later = SlotClock(ORIGIN_US, SLOT_US), SlotClock(ORIGIN_US, SLOT_US)
    assert clock.resume(ORIGIN_US) == 0.0
    for each in (clock, later):
        idled(each, 10.0, 0.0)
        idled(each, 11.001, 0.0)
    # The next picture belongs into the first of 25 slots that are made: the time line moves by that much.
    assert clock.resume(ORIGIN_US) == 25 * SLOT_US
    assert not clock.is_idle and clock.number == 25 and clock.begins_us == ORIGIN_US
    assert clock.resume(ORIGIN_US + 40_000) == 0.0
    # What comes after a pause in its time line moves nothing.
    assert later.resume(ORIGIN_US + 3_000_000) == 0.0
    assert later.begins_us == ORIGIN_US + 25 * SLOT_US
