"""The OpenAPI document, made from the declared routes and their models."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from chalice.app import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.api import account, admin, audit, auth, monitoring, playback, reconciliation, streams, workers
from chalicelib.api.endpoint import Call, Endpoint, Routes
from chalicelib.config import VERSION

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
        "errors": {"type": "array", "items": {"type": "object"}, "description": "each wrong field"},
    },
}
RETRY_AFTER = {"Retry-After": {"description": "whole seconds", "schema": {"type": "integer", "minimum": 1}}}

routes = Routes("openapi")


@routes.add("GET", "/openapi.json", role=None, answer=None)
def openapi(call: Call) -> Response:
    """This document."""
    return Response(body=json.dumps(document()), headers={"Content-Type": "application/json"})


ALL_ROUTES = (
    auth.routes,
    account.routes,
    streams.routes,
    workers.routes,
    playback.routes,
    admin.routes,
    reconciliation.routes,
    audit.routes,
    monitoring.routes,
    routes,
)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of all routes."""
    endpoints = [endpoint for each in ALL_ROUTES for endpoint in each.endpoints]
    used = {(m, "validation") for e in endpoints for m in (e.body, e.query) if m}
    used |= {(e.answer, "serialization") for e in endpoints if e.answer}
    names, definitions = models_json_schema(sorted(used, key=str), ref_template=REF)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tollcast",
            "version": VERSION,
            "description": "Pay-as-you-watch live streaming. Amounts are integer millipoints, times server ms.",
        },
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {"access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(endpoint: Endpoint, names: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": endpoint.summary, "responses": _responses(endpoint, names)}
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in endpoint.path.split("/")
        if part.startswith("{")
    ]
    if endpoint.query:
        parameters += _query_parameters(endpoint.query)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body:
        schema = names[(endpoint.body, "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if endpoint.role:
        operation["security"] = [{"access_token": []}]
        operation["x-role"] = endpoint.role.value
        operation["x-account-checked"] = endpoint.account
    return operation


def _responses(endpoint: Endpoint, names: dict[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "done"}
    if endpoint.answer:
        success["content"] = {"application/json": {"schema": names[(endpoint.answer, "serialization")]}}
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
    limited = (
        {"429": {"description": "too often", "headers": RETRY_AFTER, "content": problem}} if endpoint.limited else {}
    )
    return {
        str(endpoint.status): success,
        **limited,
        "4XX": {"description": "refused; `code` says why", "content": problem},
        "503": {"description": "try again", "content": problem},
    }


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": False, "schema": part} for name, part in schema["properties"].items()
    ]
