"""The follower counts each line once, whatever dies when."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers

from chalicelib.ports import StoreUnavailable
from gateway.usage import follower as module
from gateway.usage.follower import AlreadyFollowed, Follower, State, StateUnreadable
from gateway.usage.log_tailer import BACKUPS_MAX
from tests.unit.gateway.follower_harness import NOW, House, Killed, Steps
from tests.unit.gateway.log_lines import DAY, MINUTE, A, B, line, segment


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_sessions_and_days_reach_the_store(house: House) -> None:
    follower = house.follower()
    house.log.write(segment(1), segment(2, B), line("index.m3u8"), b"no line of ours\n")
    follower.catch_up()
    house.log.write(segment(1), segment(2))
    follower.catch_up()
    assert house.figures(A) == (4_000, 2, 4)
    assert house.figures(B) == (2_000, 1, 1)
    assert house.figures(f"day:{DAY}") == (6_000, 3, 5)


def test_how_far_it_is_is_told_only_when_all_of_it_is_added(house: House) -> None:
    follower = house.follower()
    house.log.write(segment(1))
    house.usage.failing = True
    with pytest.raises(StoreUnavailable):
        follower.catch_up()
    assert house.usage.through == {}
    house.usage.failing = False
    follower.catch_up()
    assert list(house.usage.through.values()) == [NOW - module.LOG_LAG_MS]


def test_a_store_that_does_not_answer_costs_nothing(house: House) -> None:
    follower = house.follower()
    house.log.write(segment(1), segment(1, B))
    house.usage.failing = True
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            follower.catch_up()
    house.log.write(segment(2))
    house.usage.failing = False
    follower.catch_up()
    assert (house.figures(A), house.figures(B)) == ((4_000, 2, 2), (2_000, 1, 1))


def story(house: House, follow: Callable[[], None]) -> None:
    """Watching, with rotations and torn lines in it; `follow` stands where a follower looks."""
    house.log.write(segment(1), segment(2), segment(1, B), line("720p/index.m3u8"))
    follow()
    torn = segment(3)
    house.log.write(segment(2), torn[:100])
    follow()
    house.log.rotate()
    house.log.write(torn[100:], segment(2, B), segment(3))
    follow()
    house.log.write(segment(4))
    house.log.rotate()
    house.log.write(segment(5), line("480p/1-1-000005.ts"))
    follow()


WHOLE = {A: (10_000, 5, 9), B: (4_000, 2, 2), f"day:{DAY}": (14_000, 7, 11)}
ANSWERS = {"": (11, 11_000), "stream-1": (11, 11_000)}


def told(house: House) -> tuple[object, object]:
    """What the store says in the end of what the story tells."""
    return {key: house.figures(key) for key in WHOLE}, {key: house.answers(key) for key in ANSWERS}


def steps_of_the_story(house: House, monkeypatch: pytest.MonkeyPatch, die_at: int | None) -> int:
    """The story with a death at one step and a new process after it; answers how many steps there were."""
    steps = house.usage.steps = Steps(die_at)
    written = State.write

    def write(self: State, path: Path) -> None:
        steps.step()
        written(self, path)
        steps.step()

    synced = os.fsync

    def fsync(file: int) -> None:
        synced(file)
        steps.step()  # The new file is there and has not replaced the old one; then, it has.

    monkeypatch.setattr(State, "write", write)
    monkeypatch.setattr(module.os, "fsync", fsync)
    current = [house.follower()]

    def follow() -> None:
        try:
            current[0].catch_up()
        except Killed:
            current[0] = house.follower()
            current[0].catch_up()

    story(house, follow)
    return steps.count


def test_killed_at_any_step_each_line_counts_once(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = House(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        steps = steps_of_the_story(whole, patch, None)
    assert told(whole) == (WHOLE, ANSWERS)
    assert steps >= 60
    for die_at in range(1, steps + 1):
        directory = tmp_path / str(die_at)
        directory.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            house = House(directory)
            steps_of_the_story(house, patch, die_at)
            assert told(house) == (WHOLE, ANSWERS), f"died at step {die_at}"


def test_killed_again_and_again_each_line_counts_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process gets one step further than the one before it."""

    def follow() -> None:
        for lifetime in range(1, 60):
            house.usage.steps = Steps(lifetime)
            try:
                house.follower().catch_up()
                return
            except Killed:
                continue
        raise AssertionError("it never came through")

    story(house, follow)
    assert told(house) == (WHOLE, ANSWERS)


@settings(max_examples=60, deadline=None)
@given(seed=integers(0, 2**32))
def test_however_it_is_written_rotated_and_killed_each_line_counts_once(seed: int) -> None:
    dice = Random(seed)
    with TemporaryDirectory() as directory:
        house = House(Path(directory), backups=BACKUPS_MAX)
        lines = [segment(number, session) for number in range(6) for session in (A, B)] * 2
        text, rotations = b"".join(lines), 0
        follower = house.follower()
        while text:
            size = dice.randrange(1, 700)
            house.log.write(text[:size])
            text = text[size:]
            if rotations < BACKUPS_MAX and dice.random() < 0.4:
                house.log.rotate()
                rotations += 1
            if dice.random() < 0.5:
                house.usage.steps = Steps(dice.randrange(1, 12))
                try:
                    follower.catch_up()
                except Killed:
                    follower = house.follower()
        house.usage.steps = Steps()
        follower.catch_up()
        assert house.figures(A) == house.figures(B) == (12_000, 6, 12)
        assert house.figures(f"day:{DAY}") == (24_000, 12, 24)
        assert house.answers() == house.answers("stream-1") == (24, 24_000)
        follower.close()


def test_a_batch_is_bounded_and_nothing_of_a_long_log_is_left_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.usage import log_tailer

    monkeypatch.setattr(module, "ROWS_MAX", 10)
    monkeypatch.setattr(log_tailer, "READ_BYTES", 2_000)
    sizes: list[int] = []
    written = State.write
    monkeypatch.setattr(State, "write", lambda self, path: (sizes.append(len(self.figures)), written(self, path)))
    sessions = [f"{'abcdefghij'[n % 10]}{'abcdefghij'[n // 10]}" + "c" * 24 for n in range(100)]
    house.log.write(*(segment(n, session) for session in sessions for n in range(2)))
    house.follower().catch_up()
    assert {house.figures(session) for session in sessions} == {(4_000, 2, 2)}
    assert len(sizes) > 5
    assert max(sizes) < 20


def test_lines_that_count_for_nothing_make_no_batch_but_move_the_position(house: House) -> None:
    follower = house.follower()
    house.log.write(segment(1).replace(b'"method"', b'"origin_path"'), b"nginx: worker process exited\n")
    follower.catch_up()
    found = json.loads(house.state_path.read_text())
    assert (found["batch"], found["position"]["offset"]) == (0, house.log.path.stat().st_size)
    assert house.usage.rows == {}


def test_answers_without_media_are_batches_of_their_own(house: House) -> None:
    asked = line(path="/healthz", session="", stream="", media="", cache="", verdict="")
    for _ in range(3):
        house.log.write(asked)
        house.follower().catch_up()
    assert house.usage.counts[MINUTE, ""] == {"api_2xx": 3, "api_bytes": 3_000}
    assert house.usage.rows == {}


def test_a_damaged_state_is_not_guessed_at(house: House) -> None:
    house.follower().catch_up()
    for text in ("", "{", "[]", '{"format": 3}', '{"format": 2}'):
        house.state_path.write_text(text)
        with pytest.raises(StateUnreadable):
            house.follower()


def test_two_followers_never_share_a_state(house: House) -> None:
    house.follower()
    with pytest.raises(AlreadyFollowed):
        Follower(usage=house.usage, log_path=house.log.path, state_path=house.state_path, now_ms=lambda: NOW)
