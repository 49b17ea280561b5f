"""Reports of the canary, for people and as metrics."""

from collections.abc import Sequence

from chalicelib.domain.operations.canary import CanaryRun, new_run
from chalicelib.domain.operations.totals import CANARY
from chalicelib.ports.common import Clock, ListPage
from chalicelib.ports.operations.canary import CanaryRuns
from chalicelib.ports.operations.counters import Counters


class Canary:
    """Stores what the canary reports."""

    def __init__(self, *, runs: CanaryRuns, counters: Counters, clock: Clock) -> None:
        self._runs = runs
        self._counters = counters
        self._clock = clock

    def report(self, steps_ms: Sequence[int], failure: str | None) -> CanaryRun:
        """Store a run that has just ended, and count it. Raise `Invalid`."""
        run = new_run(self._clock.now_ms(), steps_ms, failure)
        self._runs.add(run)
        self._counters.add(f"{CANARY}.{'ok' if run.is_ok else 'failed'}")
        return run

    def page(self, *, limit: int, cursor: str | None) -> ListPage[CanaryRun]:
        """Return runs, newest first."""
        return self._runs.page(limit=limit, cursor=cursor)

    def last(self) -> CanaryRun | None:
        """Return the newest run."""
        return next(iter(self._runs.page(limit=1, cursor=None).items), None)
