"""The port `Blocks` in memory."""

from collections.abc import Sequence

from chalicelib.domain.access.blocks import Block
from chalicelib.ports.common import ListPage
from tests.fakes.simple import page_of


class MemoryBlocks:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str | None], Block] = {}

    def put(self, block: Block) -> None:
        self.rows[block.user_id, block.stream_id] = block

    def remove(self, user_id: str, stream_id: str | None) -> Block | None:
        return self.rows.pop((user_id, stream_id), None)

    def of_user(self, user_id: str, now_ms: int) -> Sequence[Block]:
        return [each for each in self._in_force(now_ms) if each.user_id == user_id]

    def in_force(self, now_ms: int, *, stream_id: str | None, limit: int, cursor: str | None) -> ListPage[Block]:
        return page_of([each for each in self._in_force(now_ms) if stream_id in (None, each.stream_id)], limit, cursor)

    def _in_force(self, now_ms: int) -> list[Block]:
        found = (each for each in self.rows.values() if each.is_in_force(now_ms))
        return sorted(found, key=lambda each: each.until_ms)
