"""Each bug in hand-made playlists is found from one reading to the next, and correct ones pass."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.continuity import LAG_S_MAX, Continuity
from worker.publishing.playlists.media_playlist import Entry, Playlist

START = datetime(2026, 1, 1, tzinfo=UTC)


def grown(playlist: Playlist, run: str, count: int, duration_s: float = 2.0) -> Playlist:
    """Add so many segments of a run."""
    for _ in range(count):
        number = playlist.next_sequence
        entry = Entry(f"{run}-{number:06d}.ts", duration_s, START + timedelta(seconds=2 * number))
        playlist = playlist.append(entry, 2.0 * (number + 1))
    return playlist


FIRST = grown(Playlist(target_s=2), "1-1", 5)
# The numbers with which another owner continues.
NEXT = grown(FIRST.with_interruption(), "2-1", 2)


def problems(*readings: tuple[Playlist, int], rendition: str = "480p", ended: bool = False) -> list[str]:
    rules = Continuity(undisturbed=True)
    for number, (playlist, epoch) in enumerate(readings):
        rules.read(rendition, playlist.render(epoch, ended=ended and number == len(readings) - 1))
    return rules.problems


def test_an_unbroken_stream_has_no_problems() -> None:
    shorter = NEXT.without_first(3)
    later = grown(shorter.without_first(3).with_interruption(), "2-2", 3).without_first(2)
    assert problems((FIRST, 1), (FIRST, 1), (FIRST, 2), (NEXT, 2), (shorter, 2), (later, 2)) == []
    # An end is seen.
    assert problems((FIRST, 1), (FIRST, 1), ended=True) == ["480p: an end, but the stream was not stopped"]


def test_what_is_new_is_reported_once() -> None:
    rules = Continuity()
    assert [named.number for named in rules.read("480p", FIRST.render(1))] == [0, 1, 2, 3, 4]
    fresh = [(named.number, named.run, named.discontinuity) for named in rules.read("480p", NEXT.render(2))]
    assert fresh == [(5, "2-1", 1), (6, "2-1", 1)]
    assert (rules.newest("480p"), rules.runs("480p")) == (6, ["1-1", "2-1"])


BEGUN, TAKEN_OVER = FIRST.without_first(4), NEXT.without_first(4)
UNCOUNTED = replace(NEXT.without_first(6), discontinuity_sequence=0)
WRONG = {
    "restarts at 0": (grown(Playlist(target_s=2), "2-1", 7), 2, "the media sequence fell from 4 to 0"),
    "the sequence falls": (grown(Playlist(2, first_sequence=2), "2-1", 9), 2, "the media sequence fell from 4 to 2"),
    "no discontinuity": (grown(FIRST, "2-1", 1).without_first(4), 2, "without a discontinuity"),
    "one that left is not counted": (UNCOUNTED, 2, "#6 was ('2-1-000006.ts', 1), is ('2-1-000006.ts', 0)"),
    "an old owner overwrites a new one": (BEGUN, 1, "the last number fell"),
    "and continues": (grown(BEGUN, "1-1", 3), 1, "epoch 1 overwrote epoch 2"),
    "a segment too long": (grown(NEXT, "2-1", 1, duration_s=3.2).without_first(4), 2, "3.2 s with a target"),
    "the target changes": (replace(TAKEN_OVER, target_s=4), 2, "the target was 2 s, is 4 s"),
}


@pytest.mark.parametrize(("wrong", "epoch", "text"), WRONG.values(), ids=WRONG)
def test_each_planted_bug_is_found(wrong: Playlist, epoch: int, text: str) -> None:
    found = problems((BEGUN, 1), (TAKEN_OVER, 2), (wrong, epoch))
    assert any(text in problem for problem in found), found


def test_renditions_must_be_in_step() -> None:
    rules = Continuity(undisturbed=True)
    rules.read("720p", NEXT.render(2), 1.0)
    rules.read("480p", FIRST.render(1), 1.0 + LAG_S_MAX)
    assert rules.problems == []
    rules.read("480p", FIRST.render(1), 2.0 + LAG_S_MAX)
    assert rules.problems == ["480p ends at 4, 6.0 s after another rendition had 6"]
    # A number is the same segment in all of them.
    rules = Continuity()
    rules.read("720p", NEXT.render(2))
    rules.read("480p", grown(FIRST.with_interruption(), "1-2", 1).render(2))
    [problem] = rules.problems
    assert problem == "480p #5 is ('1-2-000005.ts', 1), but in 720p ('2-1-000005.ts', 1)"
