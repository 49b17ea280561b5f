"""Routes for blocks of viewers, which kicks make."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.blocks import BlockAnswer, BlocksQuery
from chalicelib.api.models.common import ListAnswer
from chalicelib.domain.accounts.users import OPERATORS

routes = Routes("blocks")


@routes.add("GET", "/blocks", roles=OPERATORS, query=BlocksQuery)
def list_blocks(call: Call) -> ListAnswer[BlockAnswer]:
    """List the blocks in force, the one that ends first at the front."""
    return ListAnswer[BlockAnswer].model_validate(call.services.blocks.listing(**dict(call.query)))


@routes.add("DELETE", "/blocks/{block_id}", roles=OPERATORS)
def lift_block(call: Call, block_id: str) -> BlockAnswer:
    """Lift a block at once."""
    return BlockAnswer.model_validate(call.services.blocks.lift(block_id, by=call.actor))
