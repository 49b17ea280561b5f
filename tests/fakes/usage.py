"""The port `Usage` in memory."""

from collections.abc import Mapping

from chalicelib.domain.usage import Served


class MemoryUsage:
    def __init__(self) -> None:
        self.rows: dict[str, Served] = {}
        self.batches: dict[tuple[str, str], int] = {}
        self.through: dict[str, int] = {}

    def add(self, key: str, served: Served, *, follower: str, batch: int, now_ms: int) -> bool:
        if self.batches.get((key, follower), 0) >= batch:
            return False
        self.rows[key] = self.rows.get(key, Served()).plus(served)
        self.batches[key, follower] = batch
        return True

    def get(self, key: str) -> Served | None:
        return self.rows.get(key)

    def mark(self, follower: str, through_ms: int) -> None:
        self.through[follower] = through_ms

    def marks(self) -> Mapping[str, int]:
        return dict(self.through)
