"""The port `CanaryRuns` in memory. Nothing expires."""

from chalicelib.domain.operations.canary import CanaryRun
from chalicelib.ports.common import ListPage


class MemoryCanaryRuns:
    def __init__(self) -> None:
        self.runs: list[CanaryRun] = []

    def add(self, run: CanaryRun) -> None:
        self.runs.append(run)

    def page(self, *, limit: int, cursor: str | None) -> ListPage[CanaryRun]:
        newest = sorted(self.runs, key=lambda run: -run.at_ms)
        first = int(cursor or 0)
        return ListPage(
            items=newest[first : first + limit],
            next_cursor=str(first + limit) if first + limit < len(newest) else None,
        )
