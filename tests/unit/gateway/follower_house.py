"""A log, a store and followers that die at any step."""

from collections.abc import Mapping
from pathlib import Path

from chalicelib.domain.money.usage import Served
from chalicelib.ports import StoreUnavailable
from gateway.usage import Follower
from tests.fakes.money.usage import MemoryUsage
from tests.unit.gateway.access_lines import MINUTE, A, RotatedLog

NOW = 1_795_341_700_000


class Killed(BaseException):
    """The process is gone, here and now."""


class Steps:
    """Counts the steps that leave something behind, and dies at one of them."""

    def __init__(self, die_at: int | None = None) -> None:
        self.die_at = die_at
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.die_at:
            raise Killed


class SteppingUsage(MemoryUsage):
    """Each call may die before it is done, or after it with its answer lost."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Steps()
        self.failing = False

    def add(self, key: str, served: Served, *, follower: str, batch: int, now_ms: int) -> bool:
        if self.failing:
            raise StoreUnavailable("stub")
        self.steps.step()
        added = super().add(key, served, follower=follower, batch=batch, now_ms=now_ms)
        self.steps.step()
        return added

    def count(self, minute: int, stream_id: str, counts: Mapping[str, int], *, follower: str, batch: int) -> bool:
        self.steps.step()
        counted = super().count(minute, stream_id, counts, follower=follower, batch=batch)
        self.steps.step()
        return counted

    def mark(self, follower: str, through_ms: int) -> None:
        self.steps.step()
        super().mark(follower, through_ms)
        self.steps.step()


class House:
    """A log, a store, and one follower after another."""

    def __init__(self, directory: Path, backups: int = 2) -> None:
        self.log = RotatedLog(directory / "access.log", backups)
        self.state_path = directory / "usage" / "state.json"
        self.usage = SteppingUsage()
        self._follower: Follower | None = None

    def follower(self) -> Follower:
        """A new process; the one before it is gone."""
        if self._follower:
            self._follower.close()
        self._follower = Follower(
            usage=self.usage, log_path=self.log.path, state_path=self.state_path, now_ms=lambda: NOW
        )
        return self._follower

    def figures(self, key: str = A) -> tuple[int, int, int]:
        found = self.usage.rows.get(key, Served())
        return found.media_ms, found.segments, found.requests

    def answers(self, stream_id: str = "") -> tuple[int, int]:
        """Those of media that were served, and their bytes; all lines are of one minute."""
        found = self.usage.counts.get((MINUTE, stream_id), {})
        return found.get("media_2xx", 0), found.get("media_bytes", 0)
