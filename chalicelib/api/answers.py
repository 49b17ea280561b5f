"""Problem documents as Chalice responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from chalice.app import Response

from chalicelib.observability import report_problem
from chalicelib.problems import PROBLEM_JSON, TITLES, problem, problem_of


def make_response(
    body: str, content_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response that must not be cached."""
    fixed = {"Content-Type": content_type, "Cache-Control": "no-store"}
    return Response(body=body, status_code=status, headers={**fixed, **(headers or {})})


def problem_response(error: Exception, path: str, of_payment: Mapping[str, Any] | None = None) -> Response:
    """Return the response to a failed request, and log it: server errors with their trace.

    `of_payment` are further members of a 402, for the caller of the request.
    """
    document = problem_of(error)
    if document["status"] == HTTPStatus.PAYMENT_REQUIRED:
        document |= of_payment or {}
    report_problem(document["status"], document["code"], path, error)
    return as_response(document)


def as_response(document: dict[str, Any]) -> Response:
    """Return a problem document as a response."""
    status, headers = document["status"], {}
    if status in (429, 503):
        headers["Retry-After"] = str(document.get("retry_after_s", 1))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return make_response(json.dumps(document), PROBLEM_JSON, status, headers)


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
