"""The follower counts each line once, whenever it crashes."""

import json
import os
from pathlib import Path
from random import Random
from signal import SIGTERM
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers

from chalicelib.domain.money.usage import Served
from chalicelib.ports.common import StoreUnavailable
from gateway.usage import follower as module
from gateway.usage import log_tailer
from gateway.usage.checkpoint import Checkpoint, CheckpointUnreadable
from gateway.usage.follower import AlreadyFollowed, UsageFollower
from gateway.usage.log_tailer import BACKUPS_MAX
from tests.fakes.money.usage import MemoryUsage
from tests.unit.gateway.log_lines import DAY, MINUTE, A, B, RotatedLog, line, segment

NOW = 1_795_341_700_000


class Crash(BaseException):
    """The process crashes."""


class Steps:
    """Counts the steps with lasting effects, and crashes at one of them."""

    def __init__(self, crash_at=None):
        self.crash_at = crash_at
        self.count = 0

    def step(self):
        self.count += 1
        if self.count == self.crash_at:
            raise Crash


class SteppingUsage(MemoryUsage):
    """A store whose calls may crash before their effect, or after it with the response lost."""

    def __init__(self):
        super().__init__()
        self.steps = Steps()
        self.failing = False

    def add(self, *served, **batch):
        if self.failing:
            raise StoreUnavailable("stub")
        return self._stepping(super().add, *served, **batch)

    def count(self, *counts, **batch):
        return self._stepping(super().count, *counts, **batch)

    def mark(self, *progress, **options):
        self._stepping(super().mark, *progress, **options)

    def _stepping(self, call, *arguments, **options):
        self.steps.step()
        result = call(*arguments, **options)
        self.steps.step()
        return result


class FollowerHarness:
    def __init__(self, directory, backups=2):
        self.log = RotatedLog(directory / "access.log", backups)
        self.checkpoint_path = directory / "usage" / "state.json"
        self.usage = SteppingUsage()
        self._follower = None

    def follower(self):
        if self._follower:
            self._follower.close()
        self._follower = UsageFollower(
            usage=self.usage, log_path=self.log.path, checkpoint_path=self.checkpoint_path, now_ms=lambda: NOW
        )
        return self._follower

    def served(self, key):
        served = self.usage.rows.get(key, Served())
        return served.media_ms, served.segments, served.requests

    def answers(self, stream_id=""):
        """Return the number of media responses and their bytes, of the one minute of all lines."""
        counters = self.usage.counts.get((MINUTE, stream_id), {})
        return counters.get("media_2xx", 0), counters.get("media_bytes", 0)


harness = pytest.fixture(lambda tmp_path: FollowerHarness(tmp_path))


def test_an_outage_of_the_store_loses_nothing_and_progress_is_marked_only_after_it(harness):
    follower = harness.follower()
    harness.log.write(segment(1), segment(1, B))
    harness.usage.failing = True
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            follower.catch_up()
        [follower_seen] = harness.usage.followers().values()
        assert (follower_seen.through_ms, follower_seen.reported_at_ms) == (0, NOW), "sessions wait for it"
    harness.log.write(segment(2))
    harness.usage.failing = False
    follower.catch_up()
    assert (harness.served(A), harness.served(B)) == ((4_000, 2, 2), (2_000, 1, 1))
    assert [each.through_ms for each in harness.usage.followers().values()] == [NOW - module.LOG_LAG_MS]


def write_scenario(harness, follow):
    """Write lines with rotations and torn lines, and call `follow` in between."""
    harness.log.write(segment(1), segment(2), segment(1, B), line("720p/index.m3u8"))
    follow()
    torn = segment(3)
    harness.log.write(segment(2), torn[:100])
    follow()
    harness.log.rotate()
    harness.log.write(torn[100:], segment(2, B), segment(3))
    follow()
    harness.log.write(segment(4))
    harness.log.rotate()
    harness.log.write(segment(5), line("480p/1-1-000005.ts"))
    follow()


WHOLE = {A: (10_000, 5, 9), B: (4_000, 2, 2), f"day:{DAY}": (14_000, 7, 11)}
ANSWERS = {"": (11, 11_000), "stream-1": (11, 11_000)}


def stored(harness):
    return {key: harness.served(key) for key in WHOLE}, {key: harness.answers(key) for key in ANSWERS}


def scenario_steps(directory, crash_at=None):
    """Run the scenario with a crash at one step and a new follower after it; check the sums, return the steps."""
    directory.mkdir()
    harness = FollowerHarness(directory)
    steps = harness.usage.steps = Steps(crash_at)
    written, synced = Checkpoint.write, os.fsync

    def write(self, path):
        steps.step()
        written(self, path)
        steps.step()

    def fsync(file):
        synced(file)
        steps.step()  # Before and after the new file replaces the old one.

    def follow():
        try:
            current[0].catch_up()
        except Crash:
            current[0] = harness.follower()
            current[0].catch_up()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "write", write)
        patch.setattr(module.os, "fsync", fsync)
        current = [harness.follower()]
        write_scenario(harness, follow)
    assert stored(harness) == (WHOLE, ANSWERS), f"crashed at step {crash_at}"
    totals = harness.usage.totals()
    assert (totals["media_2xx"], totals["media_bytes"]) == ANSWERS[""], f"crashed at step {crash_at}"
    return steps.count


def test_each_line_counts_once_after_a_crash_at_any_step(tmp_path):
    steps = scenario_steps(tmp_path / "whole")
    assert steps >= 60
    for crash_at in range(1, steps + 1):
        scenario_steps(tmp_path / str(crash_at), crash_at)


@settings(max_examples=60, deadline=None)
@given(seed=integers(0, 2**32))
def test_each_line_counts_once_with_random_writes_rotations_and_crashes(seed):
    dice = Random(seed)
    with TemporaryDirectory() as directory:
        harness = FollowerHarness(Path(directory), backups=BACKUPS_MAX)
        lines = [segment(number, session) for number in range(6) for session in (A, B)] * 2
        text, rotations = b"".join(lines), 0
        follower = harness.follower()
        while text:
            size = dice.randrange(1, 700)
            harness.log.write(text[:size])
            text = text[size:]
            if rotations < BACKUPS_MAX and dice.random() < 0.4:
                harness.log.rotate()
                rotations += 1
            if dice.random() < 0.5:
                harness.usage.steps = Steps(dice.randrange(1, 12))
                try:
                    follower.catch_up()
                except Crash:
                    follower = harness.follower()
        harness.usage.steps = Steps()
        follower.catch_up()
        assert harness.served(A) == harness.served(B) == (12_000, 6, 12)
        assert harness.served(f"day:{DAY}") == (24_000, 12, 24)
        assert harness.answers() == harness.answers("stream-1") == (24, 24_000)
        follower.close()


def test_what_is_logged_before_a_signal_is_counted(harness, monkeypatch):
    handlers, follower = {}, harness.follower()
    monkeypatch.setattr(module.signal, "signal", handlers.__setitem__)
    catch_up = follower.catch_up

    def first_round():
        monkeypatch.setattr(follower, "catch_up", catch_up)
        harness.log.write(segment(1))
        handlers[SIGTERM]()

    monkeypatch.setattr(follower, "catch_up", first_round)
    module.run(follower)
    assert harness.served(A) == (2_000, 1, 1)


def test_batches_of_a_long_log_are_bounded_and_complete(harness, monkeypatch):
    monkeypatch.setattr(module, "ROWS_MAX", 10)
    monkeypatch.setattr(log_tailer, "READ_BYTES", 2_000)
    sizes, written = [], Checkpoint.write
    monkeypatch.setattr(Checkpoint, "write", lambda self, path: (sizes.append(len(self.figures)), written(self, path)))
    sessions = [f"{a}{b}" + "c" * 24 for a in "abcdefghij" for b in "abcdefghij"]
    harness.log.write(*(segment(n, session) for session in sessions for n in range(2)))
    harness.follower().catch_up()
    assert {harness.served(session) for session in sessions} == {(4_000, 2, 2)} and len(sizes) > 5 and max(sizes) < 20


def test_lines_without_media_move_the_position_and_their_responses_make_batches(harness):
    follower = harness.follower()
    harness.log.write(segment(1).replace(b'"method"', b'"origin_path"'), b"nginx: worker process exited\n")
    follower.catch_up()
    found = json.loads(harness.checkpoint_path.read_text())
    assert (found["batch"], found["position"]["offset"]) == (0, harness.log.path.stat().st_size)
    assert harness.usage.rows == {}
    asked = line(path="/healthz", session="", stream="", media="", cache="", verdict="")
    for _ in range(3):
        harness.log.write(asked)
        harness.follower().catch_up()
    assert (harness.usage.counts[MINUTE, ""], harness.usage.rows) == ({"api_2xx": 3, "api_bytes": 3_000}, {})


def test_a_checkpoint_that_is_in_use_or_damaged_is_rejected(harness):
    harness.follower().catch_up()
    with pytest.raises(AlreadyFollowed):
        FollowerHarness(harness.log.path.parent).follower()
    for text in ("", "{", "[]", '{"format": 3}', '{"format": 2}'):
        harness.checkpoint_path.write_text(text)
        with pytest.raises(CheckpointUnreadable):
            harness.follower()
