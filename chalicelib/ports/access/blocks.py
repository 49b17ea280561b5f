"""Blocks of viewers."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.access.blocks import Block
from chalicelib.ports.common import ListPage


class Blocks(Protocol):
    """One block at most for each user and stream, and one for all streams. They are deleted after their end."""

    def put(self, block: Block) -> None:
        """Store a block in place of the one before."""

    def remove(self, user_id: str, stream_id: str | None) -> Block | None:
        """Delete a block and return it; None if there is none. It may be over."""

    def of_user(self, user_id: str, now_ms: int) -> Sequence[Block]:
        """Return the blocks of a user that are in force, by a consistent read."""

    def in_force(self, now_ms: int, *, stream_id: str | None, limit: int, cursor: str | None) -> ListPage[Block]:
        """Return all blocks in force, the one that ends first at the front. A page may be short. The index may lag.

        With `stream_id`, return those on this stream only, without those on all streams.
        """
