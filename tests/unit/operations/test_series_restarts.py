"""Restarts of each process, with the real follower over a real log: counts are in their minutes, once, or unknown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.domain.operations.series import SeriesName
from gateway.usage.follower import UsageFollower
from tests.unit.gateway.log_lines import RotatedLog, segment
from tests.unit.operations.sampled_platform import STREAM_ID, SampledPlatform

BYTES = 1_000


class FollowedPlatform(SampledPlatform):
    """A platform whose gateway writes a log, which the product's follower reads. The scheduler is new at each run."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._log = RotatedLog(directory / "access.log")
        self._checkpoint = directory / "state.json"
        self._follower: UsageFollower | None = None
        self._number = 0

    def serve(self, requests: int = 1, minute: int | None = None) -> None:
        for _ in range(requests):
            self._number += 1
            self._log.write(segment(self._number, at_s=self.clock.now_ms() / 1_000, stream=STREAM_ID))

    def follow(self) -> None:
        if self._follower is None:
            paths = {"log_path": self._log.path, "checkpoint_path": self._checkpoint}
            self._follower = UsageFollower(usage=self.stores.usage, now_ms=self.clock.now_ms, **paths)
        self._follower.catch_up()

    def kill_follower(self) -> None:
        """What it has read and not flushed is lost with it."""
        if self._follower:
            self._follower._read()
            self._follower.close()
        self._follower = None

    def step(self, ms: int = 60_000) -> int | None:
        self.services.__dict__.pop("sampler", None)
        return super().step(ms)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FollowedPlatform]:
    made = FollowedPlatform(tmp_path)
    made.steps(3)
    yield made
    made.kill_follower()


def test_a_follower_that_is_killed_and_started_at_once_makes_no_gap(platform: FollowedPlatform) -> None:
    for _ in range(5):
        platform.serve(6)
        platform.kill_follower()
        platform.step()
    assert platform.read("egress_bytes", 8) == [6 * BYTES] * 8
    assert platform.read("egress_bytes", 8, STREAM_ID) == [None, *[6 * BYTES] * 7]


def test_a_follower_that_is_away_for_minutes_leaves_a_gap_and_then_fills_it(platform: FollowedPlatform) -> None:
    platform.kill_follower()
    platform.follower_runs = False
    platform.steps(3)
    assert platform.read("egress_bytes", 4) == [6 * BYTES, None, None, None]
    assert platform.read("answers_2xx", 4, STREAM_ID) == [6, None, None, None]
    platform.follower_runs = True
    platform.steps(3)
    assert platform.read("egress_bytes", 9) == [6 * BYTES] * 9
    assert platform.read("egress_bytes", 7, STREAM_ID) == [6 * BYTES, *[None] * 4, *[6 * BYTES] * 2]


def test_a_platform_that_is_off_for_a_while_leaves_a_gap_and_no_zero(platform: FollowedPlatform) -> None:
    platform.kill_follower()
    platform.clock.advance(17 * 60_000)
    platform.steps(3)
    for name in SeriesName:
        found = platform.read(name, 23)
        assert found[3:20] == [None] * 17, name
        assert name not in ("egress_bytes", "active_sessions", "login_failures") or None not in found[:3] + found[-3:]
    assert sum(value or 0 for value in platform.read("egress_bytes", 23)) == 6 * 6 * BYTES
