"""Problem documents as Chalice responses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chalice.app import Response

from chalicelib.observability import logger
from chalicelib.problems import PROBLEM_JSON, TITLES, problem, problem_of


def problem_response(error: Exception, path: str) -> Response:
    """Return the response to a failed request. Log the trace of server errors."""
    document = problem_of(error)
    if document["status"] >= 500:
        logger().error("request failed", path=path, code=document["code"], exc_info=error)
    return as_response(document)


def as_response(document: dict[str, Any]) -> Response:
    """Return a problem document as a response."""
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store"}
    if document["status"] == 503:
        headers["Retry-After"] = "1"
    if document["status"] == 429:
        headers["Retry-After"] = str(document["retry_after_s"])
    if document["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body=json.dumps(document), status_code=document["status"], headers=headers)


def middleware(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Turn Chalice's own errors (wrong method, crash outside a view) into problem documents."""
    response = get_response(event)
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM_JSON:
        return response
    status = response.status_code
    code = {405: "method_not_allowed"}.get(status, "internal_error" if status >= 500 else "invalid_request")
    response.body = json.dumps(problem(status, code, f"{TITLES.get(status, 'Error')}."))
    response.headers["Content-Type"] = PROBLEM_JSON
    return response
