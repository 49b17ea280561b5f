from dataclasses import fields

import pytest

from chalicelib.domain.streams.media_health import Repairs
from worker.transcoding import repairs
from worker.transcoding.repairs import NOTE_INTERVAL_S, NOTES_MAX, RunRepairs


class Clock:
    """A clock in seconds that a test sets."""

    now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(repairs, "time", made)
    return made


def test_each_repair_is_counted_under_its_name_and_sound_in_milliseconds() -> None:
    run = RunRepairs()
    run.count_gap(4_800, 1_000_000)
    run.count_silence(48)
    # Less than a millisecond each, and not lost.
    for _ in range(100):
        run.count_silence(24)
    run.count_overlap(960, 2_000_000)
    counts = run.counts()
    assert (counts["silence_ms"], counts["trimmed_ms"]) == (100 + 1 + 50, 20)
    # Each count has its name.
    run = RunRepairs()
    assert Repairs(**run.counts()) == Repairs()
    assert set(run.counts()) == {field.name for field in fields(Repairs)}
    set_ = {"drift_ppm": -300, "pictures_dropped": 1, "timestamp_jumps": 2, "format_changes": 3}
    set_ |= {"damaged_packets": 4, "restarts_avoided": 5}
    for name, count in set_.items():
        setattr(run, name, count)
    run.count_repeat(0, 40_000)
    assert Repairs(**run.counts()) == Repairs(**set_, pictures_repeated=1)


def test_repairs_are_said_in_plain_words_and_once() -> None:
    run = RunRepairs()
    run.count_gap(4_800, 1_500_000)
    run.count_overlap(960, 2_000_000)
    run.count_silence(0)
    run.count_repeat(3_000_000, 999_999)
    run.count_repeat(4_000_000, 1_500_000)
    run.count_silence(1_600)
    assert run.new_notes() == [
        "100 ms of sound are missing at 1.50 s: silence was played",
        "20 ms of sound at 2.00 s overlap the sound before: left out",
        "no new picture for 1.5 s at 4.0 s: the last one stays",
        "no sound comes from the source: silence is played",
    ]
    assert run.new_notes() == []


def test_repairs_of_one_kind_are_one_note_for_a_while(clock: Clock) -> None:
    run = RunRepairs()
    run.count_gap(4_800, 0)
    clock.now_s += NOTE_INTERVAL_S - 0.1
    run.count_gap(4_800, 9_900_000)
    # Of another kind.
    run.count_overlap(480, 9_900_000)
    clock.now_s += 0.1
    run.count_gap(4_800, 10_000_000)
    assert [note.partition(" ms")[0] for note in run.new_notes()] == ["100", "10", "100"]
    assert run.counts()["silence_ms"] == 300
    # Notes that are never taken do not pile up.
    run = RunRepairs()
    for number in range(NOTES_MAX + 10):
        run.note(f"kind {number}", str(number))
    assert run.new_notes() == [str(number) for number in range(10, NOTES_MAX + 10)]
