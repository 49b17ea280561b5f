"""A log, a store and followers that crash at any step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalicelib.domain.money.usage import Served
from chalicelib.ports.common import StoreUnavailable
from gateway.usage.follower import UsageFollower
from tests.fakes.money.usage import MemoryUsage
from tests.unit.gateway.log_lines import MINUTE, A, RotatedLog

NOW = 1_795_341_700_000


class Crash(BaseException):
    """The process crashes."""


class Steps:
    """Counts the steps with lasting effects, and crashes at one of them."""

    def __init__(self, crash_at: int | None = None) -> None:
        self.crash_at = crash_at
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.crash_at:
            raise Crash


class SteppingUsage(MemoryUsage):
    """A store whose calls may crash before their effect, or after it with the response lost."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Steps()
        self.failing = False

    def add(self, *served: Any, **batch: Any) -> bool:
        if self.failing:
            raise StoreUnavailable("stub")
        return self._stepping(super().add, *served, **batch)

    def count(self, *counts: Any, **batch: Any) -> bool:
        return self._stepping(super().count, *counts, **batch)

    def mark(self, *progress: Any) -> None:
        self._stepping(super().mark, *progress)

    def _stepping(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self.steps.step()
        result = call(*arguments, **options)
        self.steps.step()
        return result


class FollowerHarness:
    def __init__(self, directory: Path, backups: int = 2) -> None:
        self.log = RotatedLog(directory / "access.log", backups)
        self.checkpoint_path = directory / "usage" / "state.json"
        self.usage = SteppingUsage()
        self._follower: UsageFollower | None = None

    def follower(self) -> UsageFollower:
        if self._follower:
            self._follower.close()
        self._follower = UsageFollower(
            usage=self.usage, log_path=self.log.path, checkpoint_path=self.checkpoint_path, now_ms=lambda: NOW
        )
        return self._follower

    def served(self, key: str = A) -> tuple[int, int, int]:
        served = self.usage.rows.get(key, Served())
        return served.media_ms, served.segments, served.requests

    def answers(self, stream_id: str = "") -> tuple[int, int]:
        """Return the number of media responses and their bytes, of the one minute of all lines."""
        counters = self.usage.counts.get((MINUTE, stream_id), {})
        return counters.get("media_2xx", 0), counters.get("media_bytes", 0)
