"""The responses of each operation in the OpenAPI document.

Most error statuses follow from the declaration of a route; `Endpoint.refusals` adds the others. 500 is left out, since
no route intends it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

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
        "code": {"type": "string", "description": "stable; for programs"},
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
        "message": {
            "type": ["string", "null"],
            "description": "an operator's message to the viewer",
        },
        "charged_millipoints": {"type": "integer", "description": "the cost of that session"},
        "watched_ms": {"type": "integer", "description": "how long it was watched"},
        "balance_millipoints": {"type": "integer", "description": "the balance of the wallet"},
        "top_up_url": {
            "type": ["string", "null"],
            "description": "with 402: where the caller buys points, null if the stage has no such page",
        },
        "sessions": {
            "type": "array",
            "description": "the caller's sessions that count towards the limit",
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
        "parameters": {
            "type": "array",
            "description": "the parameters in which a payment differs from the one with its id",
            "items": {"type": "string"},
        },
        "port": {"type": "integer", "description": "the port in use"},
        "stream_id": {
            "type": ["string", "null"],
            "description": "the stream that uses the port, or that the caller is blocked on (null: all)",
        },
        "until_ms": {"type": "integer", "description": "with 403 `blocked`: when a start is allowed"},
        "version": {"type": "integer", "description": "with 412: the current version"},
        "differing": {
            "type": ["array", "null"],
            "description": "with 412: the fields that have changed since the version that the request named, with both"
            " values; secrets are hidden. Null if that version is too old or unknown",
            "items": {
                "type": "object",
                "required": ["field", "seen", "current"],
                "properties": {"field": {"type": "string"}, "seen": {}, "current": {}},
            },
        },
        "millipoints_min": {"type": "integer", "description": "the smallest adjustment allowed"},
        "millipoints_max": {"type": "integer", "description": "the largest adjustment allowed"},
    },
}
PROBLEM = {PROBLEM_JSON: {"schema": {"$ref": REF.format(model="Problem")}}}


def _header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": schema}


NO_STORE = {"Cache-Control": _header("responses must not be cached", {"type": "string", "const": "no-store"})}
RETRY_AFTER = {"Retry-After": _header("whole seconds", {"type": "integer", "minimum": 1})}
ETAG = {"ETag": _header("changes with the answer; for `If-None-Match`", {"type": "string"})}
SET_COOKIE = {"Set-Cookie": _header("the new refresh token, or its removal", {"type": "string"})}
CHALLENGE = {"WWW-Authenticate": _header("how to authenticate", {"type": "string", "const": "Bearer"})}
HEADERS_OF_REFUSAL = {401: NO_STORE | CHALLENGE, 429: NO_STORE | RETRY_AFTER, 503: NO_STORE | RETRY_AFTER}


def refusals_of(endpoint: Endpoint) -> set[int]:
    """Return the error statuses of an operation."""
    # Every route rejects unknown query parameters, and every route may find a store unavailable.
    found = {400, 503, *endpoint.refusals}
    if endpoint.roles:
        # A service key is refused by every route that does not accept its scope.
        found |= {401, 403}
    if "{" in endpoint.path:
        found.add(404)
    if endpoint.body:
        found.add(413)
    if endpoint.query or "{" in endpoint.path:
        found.add(414)
    if endpoint.limited:
        found.add(429)
    if endpoint.if_match:
        found.add(412)
    if endpoint.browser:
        found.add(403)
    return found


def revalidates(endpoint: Endpoint) -> bool:
    """Return whether an operation takes `If-None-Match`."""
    return endpoint.etag and endpoint.method == "GET"


def answers_of(endpoint: Endpoint) -> list[type[BaseModel]]:
    """Return the models of a success, for all callers."""
    return [each for each in (endpoint.answer, endpoint.operators_answer, endpoint.keys_answer) if each]


def responses_of(endpoint: Endpoint, names: dict[Any, Any]) -> dict[str, Any]:
    """Return the responses of an operation. `names` maps each model to its schema."""
    content = {media_type: {"schema": schema} for media_type, schema in endpoint.other_types.items()}
    answers = [names[(m, "serialization")] for m in answers_of(endpoint)]
    if answers:
        content["application/json"] = {"schema": answers[0] if len(answers) == 1 else {"anyOf": answers}}
    headers = NO_STORE | (ETAG if endpoint.etag else {}) | (SET_COOKIE if endpoint.browser else {})
    success: dict[str, Any] = {"description": "done", "headers": headers}
    if content:
        success["content"] = content
    successes = {str(endpoint.status): success}
    if revalidates(endpoint):
        successes["304"] = {"description": "unchanged since the answer with this tag", "headers": headers}
    refusals = {str(status): _refusal(status) for status in sorted(refusals_of(endpoint))}
    if endpoint.browser and endpoint.body is None and "401" in refusals:
        refusals["401"]["headers"] |= SET_COOKIE
    if endpoint.failed:
        other = {"application/json": {"schema": names[(endpoint.failed, "serialization")]}}
        refusals["503"] = {**refusals["503"], "content": other | PROBLEM}
    return {**successes, **refusals}


def _refusal(status: int) -> dict[str, Any]:
    description = TITLES.get(status) or HTTPStatus(status).phrase
    return {
        "description": f"{description}; `code` says why",
        "headers": dict(HEADERS_OF_REFUSAL.get(status, NO_STORE)),
        "content": PROBLEM,
    }
