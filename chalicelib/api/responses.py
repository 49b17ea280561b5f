"""What the OpenAPI document says of answers: which statuses an operation has, and what stands in each.

Most refusals follow from how a route is declared. `Endpoint.refusals` has the others. 500 is not among them: it is
never meant.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from chalicelib.api.endpoint import Endpoint
from chalicelib.problems import PROBLEM_JSON, TITLES

REF = "#/components/schemas/{model}"
PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable; what clients match on"},
        "retry_after_s": {"type": "integer", "description": "with 429, as in the header `Retry-After`"},
        "end_reason": {"type": "string", "description": "why a session ended"},
        "errors": {
            "type": "array",
            "description": "each wrong field",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "session_id": {"type": "string", "description": "the session that is over"},
        "charged_millipoints": {"type": "integer", "description": "what that session cost"},
        "watched_ms": {"type": "integer", "description": "how long it was watched"},
        "balance_millipoints": {"type": "integer", "description": "what the wallet has"},
        "sessions": {
            "type": "array",
            "description": "one's sessions that are in the way",
            "items": {
                "type": "object",
                "required": ["session_id", "stream_id", "started_at_ms"],
                "properties": {
                    "session_id": {"type": "string"},
                    "stream_id": {"type": "string"},
                    "started_at_ms": {"type": "integer"},
                },
            },
        },
        "port": {"type": "integer", "description": "the port that is taken"},
        "stream_id": {"type": "string", "description": "the stream that has it"},
        "millipoints_min": {"type": "integer", "description": "the least that an adjustment may give"},
        "millipoints_max": {"type": "integer", "description": "the most that it may give"},
    },
}
PROBLEM = {PROBLEM_JSON: {"schema": {"$ref": REF.format(model="Problem")}}}


def _header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": schema}


NO_STORE = {"Cache-Control": _header("nothing is kept", {"type": "string", "const": "no-store"})}
RETRY_AFTER = {"Retry-After": _header("whole seconds", {"type": "integer", "minimum": 1})}
CHALLENGE = {"WWW-Authenticate": _header("how to prove who one is", {"type": "string", "const": "Bearer"})}
HEADERS_OF_REFUSAL = {401: NO_STORE | CHALLENGE, 429: NO_STORE | RETRY_AFTER, 503: NO_STORE | RETRY_AFTER}


def refusals_of(endpoint: Endpoint) -> set[int]:
    """The statuses with which an operation may refuse."""
    # A query that is not known is refused everywhere, and a store may be out of reach for each.
    found = {400, 503, *endpoint.refusals}
    if endpoint.role:
        found.add(401)
    if endpoint.account:
        found.add(403)
    if "{" in endpoint.path:
        found.add(404)
    if endpoint.body:
        found.add(413)
    if endpoint.query or "{" in endpoint.path:
        found.add(414)
    if endpoint.limited:
        found.add(429)
    return found


def responses_of(endpoint: Endpoint, names: dict[Any, Any]) -> dict[str, Any]:
    """The answers of an operation. `names` has the schema of each model."""
    content = {media_type: {"schema": schema} for media_type, schema in endpoint.other_types.items()}
    answers = [names[(m, "serialization")] for m in (endpoint.answer, endpoint.operators_answer) if m]
    if answers:
        content["application/json"] = {"schema": answers[0] if len(answers) == 1 else {"anyOf": answers}}
    success: dict[str, Any] = {"description": "done", "headers": NO_STORE}
    if content:
        success["content"] = content
    refusals = {str(status): _refusal(status) for status in sorted(refusals_of(endpoint))}
    if endpoint.failed:
        other = {"application/json": {"schema": names[(endpoint.failed, "serialization")]}}
        refusals["503"] = {**refusals["503"], "content": other | PROBLEM}
    return {str(endpoint.status): success, **refusals}


def _refusal(status: int) -> dict[str, Any]:
    description = TITLES.get(status) or HTTPStatus(status).phrase
    return {
        "description": f"{description}; `code` says why",
        "headers": HEADERS_OF_REFUSAL.get(status, NO_STORE),
        "content": PROBLEM,
    }
