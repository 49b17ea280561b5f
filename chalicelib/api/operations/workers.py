"""Route for the list of workers."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.domain.accounts.users import OPERATORS
from chalicelib.domain.operations.workers import Worker

routes = Routes("workers")


@routes.add("GET", "/workers", roles=OPERATORS, query=ListQuery)
def list_workers(call: Call) -> ListAnswer[Worker]:
    """List the workers and their streams. A worker that is silent for 20 s is left out."""
    return ListAnswer[Worker].model_validate(call.services.workers.listing(**dict(call.query)))
