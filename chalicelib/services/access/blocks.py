"""Blocks: made by kicks, checked at starts, listed and lifted by operators."""

from chalicelib.domain.access.blocks import MS_PER_MINUTE, Block, until_words, user_and_stream_of
from chalicelib.domain.errors import Blocked, BlockNotFound
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.operations.audit import Action, Actor
from chalicelib.ports.access.blocks import Blocks
from chalicelib.ports.common import Clock, ListPage
from chalicelib.services.operations.audit import Audit


class BlocksService:
    """The blocks of all viewers."""

    def __init__(self, *, blocks: Blocks, audit: Audit, clock: Clock) -> None:
        self._blocks = blocks
        self._audit = audit
        self._clock = clock

    def check(self, user_id: str, stream_id: str) -> None:
        """Raise `Blocked` if the user may not start a session on this stream now."""
        found = [block for block in self._blocks.of_user(user_id, self._clock.now_ms()) if block.covers(stream_id)]
        if not found:
            return
        block = max(found, key=lambda each: each.until_ms)
        where = "this stream" if block.stream_id else "all streams"
        raise Blocked(
            f"An operator has blocked you on {where} until {until_words(block.until_ms)}. Nothing was charged.",
            until_ms=block.until_ms,
            stream_id=block.stream_id,
            message=block.message,
        )

    def add(
        self,
        record: SessionRecord,
        *,
        minutes: int,
        on_stream: bool,
        reason: str,
        message: str | None,
        by: Actor | None,
    ) -> Block:
        """Block the user of a session on its stream, or on all, from now on. It replaces the block before."""
        now_ms = self._clock.now_ms()
        block = Block(
            user_id=record.user_id,
            stream_id=record.stream_id if on_stream else None,
            until_ms=now_ms + minutes * MS_PER_MINUTE,
            created_at_ms=now_ms,
            by_user_id=by.user_id if by else "",
            session_id=record.session_id,
            reason=reason,
            message=message,
        )
        self._blocks.put(block)
        self._audit.record(by, _action("block.add", block))
        return block

    def lift(self, block_id: str, *, by: Actor | None = None) -> Block:
        """Delete a block and return it. Raise `BlockNotFound` if there is none in force."""
        block = self._blocks.remove(*user_and_stream_of(block_id))
        if block is None or not block.is_in_force(self._clock.now_ms()):
            raise BlockNotFound(f"There is no block {block_id} in force.")
        self._audit.record(by, _action("block.lift", block))
        return block

    def listing(self, *, user_id: str | None, stream_id: str | None, limit: int, cursor: str | None) -> ListPage[Block]:
        """Return the blocks in force, the one that ends first at the front. A page may be short.

        With `user_id`, all blocks of this user come in one page.
        """
        now_ms = self._clock.now_ms()
        if user_id is None:
            return self._blocks.in_force(now_ms, stream_id=stream_id, limit=limit, cursor=cursor)
        found = [each for each in self._blocks.of_user(user_id, now_ms) if stream_id in (None, each.stream_id)]
        return ListPage(items=sorted(found, key=lambda each: each.until_ms), next_cursor=None)


def _action(name: str, block: Block) -> Action:
    return Action(
        name=name,
        target=block.block_id,
        user_id=block.user_id,
        details={"until_ms": block.until_ms, "reason": block.reason, "session_id": block.session_id},
    )
