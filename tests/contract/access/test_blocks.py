"""The contract of stores of blocks."""

from dataclasses import replace

from chalicelib.domain.access.blocks import Block
from chalicelib.domain.ids import new_session_id, new_stream_id, new_user_id
from chalicelib.ports.common import all_items
from chalicelib.stores import Stores

NOW = 1_800_000_000_000


def a_block(user_id: str, stream_id: str | None = None, minutes: int = 10) -> Block:
    return Block(
        user_id=user_id,
        stream_id=stream_id,
        until_ms=NOW + minutes * 60_000,
        created_at_ms=NOW,
        by_user_id="u_operator",
        session_id=new_session_id(),
        reason="rude",
        message="Good bye.",
    )


# First: the list has the blocks of the other tests, too.
def test_the_list_has_what_is_in_force_in_order_of_its_end(stores: Stores) -> None:
    stream_id = new_stream_id()
    blocks = [a_block(new_user_id(), stream_id if minutes % 2 else None, minutes) for minutes in range(-1, 8)]
    for block in reversed(blocks):
        stores.blocks.put(block)
    in_force = [block for block in blocks if block.until_ms > NOW]
    assert list(all_items(stores.blocks.in_force, NOW, stream_id=None, limit=2)) == in_force
    on_stream = [block for block in in_force if block.stream_id]
    assert list(all_items(stores.blocks.in_force, NOW, stream_id=stream_id, limit=2)) == on_stream
    assert list(all_items(stores.blocks.in_force, NOW, stream_id="other", limit=2)) == []


def test_a_block_replaces_the_one_on_the_same_streams(money: Stores) -> None:
    user_id, stream_id = new_user_id(), new_stream_id()
    on_all, on_stream = a_block(user_id), a_block(user_id, stream_id, minutes=20)
    for block in (on_all, on_stream, a_block(new_user_id())):
        money.blocks.put(block)
    assert sorted(money.blocks.of_user(user_id, NOW), key=lambda each: each.until_ms) == [on_all, on_stream]
    shorter = replace(on_stream, until_ms=NOW + 1, reason="", message=None)
    money.blocks.put(shorter)
    assert on_all in (found := money.blocks.of_user(user_id, NOW)) and shorter in found and len(found) == 2
    assert list(money.blocks.of_user(user_id, NOW + 1)) == [on_all], "it is over at the millisecond"
    assert list(money.blocks.of_user(user_id, on_all.until_ms)) == []


def test_a_block_is_removed_once(money: Stores) -> None:
    user_id, stream_id = new_user_id(), new_stream_id()
    block = a_block(user_id, stream_id)
    money.blocks.put(block)
    assert money.blocks.remove(user_id, None) is None
    assert money.blocks.remove(user_id, stream_id) == block
    assert money.blocks.remove(user_id, stream_id) is None
    assert list(money.blocks.of_user(user_id, NOW)) == []
