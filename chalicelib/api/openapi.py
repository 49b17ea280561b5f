"""The OpenAPI document, built from the declared routes and their models."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from chalice.app import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.api.access import auth, blocks, browser_auth, playback, sessions
from chalicelib.api.accounts import account, users
from chalicelib.api.answers import make_response
from chalicelib.api.checks import PATH_FORMS, PAYMENT_PATH
from chalicelib.api.cookies import CSRF_HEADER, CSRF_VALUE
from chalicelib.api.cookies import NAME as COOKIE_NAME
from chalicelib.api.endpoint import Call, Endpoint, Routes
from chalicelib.api.money import money, reconciliation, wallets
from chalicelib.api.operations import audit, canary, monitoring, series, workers
from chalicelib.api.responses import PROBLEM_SCHEMA, REF, answers_of, responses_of, revalidates
from chalicelib.api.streams import streams
from chalicelib.config import VERSION
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.money.usage import DAY

DESCRIPTION = (
    "Pay-as-you-watch live streaming. Amounts are integer millipoints, times are milliseconds of the server's clock."
    " Every error is a problem document. The gateway itself may return 404 for unknown paths, 405 with `Allow`, and"
    " 408, 413, 414, 429 and 431 for requests that are too slow, too large or too frequent."
)
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "tags of earlier answers; an unchanged one is not sent again (304)",
    "schema": {"type": "string"},
}
CSRF = {
    "name": CSRF_HEADER,
    "in": "header",
    "required": True,
    "description": "what no form and no other site can send; without it 403 `cross_site`",
    "schema": {"type": "string", "const": CSRF_VALUE},
}
COOKIE = {
    "name": COOKIE_NAME,
    "in": "cookie",
    "required": False,
    "description": "the refresh token of the browser's login",
    "schema": {"type": "string"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "`*`, or the ETag of the answer that is edited: 412 if it has another version by now. Of a tag, only"
    " the number before the dot counts. Several are separated by commas",
    "schema": {"type": "string", "pattern": r'^(?:\*|"[0-9]{1,15}(?:\.[0-9a-f]*)?")$'},
}
routes = Routes("openapi")


@routes.add("GET", "/openapi.json", roles=None, other_types={"application/json": {"type": "object"}})
def openapi(call: Call) -> Response:
    """Return this document."""
    return make_response(json.dumps(document()), "application/json")


ALL_ROUTES = (
    auth.routes,
    browser_auth.routes,
    account.routes,
    streams.routes,
    workers.routes,
    playback.routes,
    blocks.routes,
    sessions.routes,
    users.routes,
    wallets.routes,
    reconciliation.routes,
    money.routes,
    audit.routes,
    monitoring.routes,
    series.routes,
    canary.routes,
    routes,
)


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of all routes."""
    endpoints = [endpoint for each in ALL_ROUTES for endpoint in each.endpoints]
    used = {(m, "validation") for e in endpoints for m in (e.body, e.query) if m}
    used |= {(m, "serialization") for e in endpoints for m in (*answers_of(e), e.failed) if m}
    names, definitions = models_json_schema(sorted(used, key=str), ref_template=REF)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tollcast",
            "version": VERSION,
            "description": DESCRIPTION,
        },
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {
                "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "service_key": {"type": "http", "scheme": "bearer", "bearerFormat": "tck_<id>_<secret>"},
            },
        },
    }


def _operation(endpoint: Endpoint, names: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": endpoint.summary, "responses": responses_of(endpoint, names)}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^(?:{form.pattern})$"}}
        for name, form in {"day": DAY, "payment_id": PAYMENT_PATH, **PATH_FORMS}.items()
        if f"{{{name}}}" in endpoint.path
    ]
    if endpoint.query:
        parameters += _query_parameters(endpoint.query)
    if revalidates(endpoint):
        parameters.append(IF_NONE_MATCH)
    if endpoint.if_match:
        parameters.append(IF_MATCH)
    if endpoint.browser:
        parameters += [CSRF] if endpoint.body else [CSRF, COOKIE]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body:
        schema = names[(endpoint.body, "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if endpoint.roles:
        operation["security"] = [{"access_token": []}]
        if endpoint.key_scope:
            operation["security"].append({"service_key": []})
            operation["x-key-scope"] = endpoint.key_scope.value
        operation["x-roles"] = [role.value for role in Role if role in endpoint.roles]
        operation["x-account-checked"] = endpoint.account
    return operation


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(ref_template=REF)
    return [
        {"name": name, "in": "query", "required": False, "schema": part} for name, part in schema["properties"].items()
    ]
