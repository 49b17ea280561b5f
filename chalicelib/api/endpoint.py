"""Declaration of routes, and the checks that every request passes.

A view gets a `Call` and its path parameters and returns a wire model. `/openapi.json` is built from the same
declarations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, get_args, get_type_hints

from chalice.app import Blueprint, Response
from pydantic import BaseModel

from chalicelib.api.answers import make_response, problem_response
from chalicelib.api.checks import bearer, body_of, checked_path, no_body, query_of
from chalicelib.api.cookies import check_same_origin, refresh_token_of, without_token
from chalicelib.api.etags import etag_of, matches, versions_of
from chalicelib.bootstrap import Container, container
from chalicelib.domain.access.clients import AGENT_CHARS_MAX, Client
from chalicelib.domain.access.service_keys import KEY_PREFIX, Scope, ServiceKey
from chalicelib.domain.access.tokens import AccessClaims
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.operations.audit import Actor
from chalicelib.domain.versions import Expected
from chalicelib.observability import add_to_log, request_log

# As nginx accepts it (gateway/nginx/snippets/header_values.conf).
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
View = Callable[..., Any]
# The ids of paths in the log. `user_id` is the caller there.
LOGGED_IDS = {"session_id": "session_id", "stream_id": "stream_id", "user_id": "target_user_id"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that passed its checks."""

    services: Container
    caller: AccessClaims | None
    # In place of a caller, on the routes that accept one.
    key: ServiceKey | None
    body: Any
    query: Any
    client: Client
    # The versions that `If-Match` allows, on routes that declare it.
    expected: Expected = None
    # The header as sent.
    accept: str = ""
    # The refresh token of a browser's cookie, empty without one; on routes of browsers only.
    cookie: str = ""

    @property
    def user_id(self) -> str:
        """The caller's id. Only routes with roles have a caller, and a service key is none."""
        if self.caller is None:
            raise RuntimeError("this request has no user: the route declares no roles, or a service key sent it")
        return self.caller.user_id

    @property
    def actor(self) -> Actor:
        """The caller or the service key, for the audit log."""
        return Actor(user_id=self.key.actor_id if self.key else self.user_id, ip=self.client.ip)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A declared route. `roles` are those that may use it (None: anyone), `limited` means that it may return 429.

    `account` means that the account must be neither disabled nor logged out everywhere since the token was issued.
    `key_scope` is the scope with which a service key may call the route; without it, none may. With `etag`, an answer
    has an `ETag`, and a GET that names it in `If-None-Match` returns 304. With `if_match`, a request may name the
    version that it changes in `If-Match`, and returns 412 if that is not the current one. `browser` is a route of the
    dashboard's cookie: only a page of this origin may use it, and a refused cookie is removed. The last five are for
    the OpenAPI document: `refusals` are error statuses that do not follow from the other fields, `operators_answer` is
    the answer for operators, `keys_answer` that for service keys, `other_types` are further content types of a success,
    and `failed` is another body of a 503.
    """

    method: str
    path: str
    summary: str
    roles: frozenset[Role] | None
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    limited: bool = False
    account: bool = False
    key_scope: Scope | None = None
    etag: bool = False
    if_match: bool = False
    browser: bool = False
    refusals: Collection[int] = ()
    operators_answer: type[BaseModel] | None = None
    keys_answer: type[BaseModel] | None = None
    other_types: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: type[BaseModel] | None = None


class Routes:
    """A group of routes: a Chalice blueprint and its declarations."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(name)
        self.endpoints: list[Endpoint] = []

    def add(
        self, method: str, path: str, *, roles: frozenset[Role] | None, account: bool = False, **declared: Any
    ) -> Callable[[View], View]:
        """Declare a route with the fields of `Endpoint`.

        The summary is the first line of the view's docstring, the answer is the model that the view returns. Routes
        that viewers may not use always check the account.
        """

        def register(view: View) -> View:
            summary = (view.__doc__ or "").strip().split("\n")[0]
            checked = account or (roles is not None and Role.VIEWER not in roles)
            of_view: dict[str, Any] = {"summary": summary, "answer": _answer_of(view)}
            endpoint = Endpoint(method=method, path=path, roles=roles, account=checked, **of_view, **declared)
            self.endpoints.append(endpoint)

            def handler(**params: str) -> Response:
                return _respond(endpoint, view, self.blueprint.current_request, params)

            handler.__name__ = view.__name__
            # No content types: the body is read as JSON whatever its header says.
            self.blueprint.route(path, methods=[method], name=view.__name__, content_types=[])(handler)
            return view

        return register


def _answer_of(view: View) -> type[BaseModel] | None:
    returned = get_type_hints(view)["return"]
    kinds = (each for each in (returned, *get_args(returned)) if isinstance(each, type))
    return next((each for each in kinds if issubclass(each, BaseModel)), None)


def _respond(endpoint: Endpoint, view: View, request: Any, params: dict[str, str]) -> Response:
    services, problem, call = container(), None, None
    request_id = _request_id(request)
    with request_log(request_id=request_id, method=endpoint.method, route=endpoint.path):
        try:
            call = _call(endpoint, request, services)
            ids = checked_path(params)
            add_to_log(**{LOGGED_IDS[name]: value for name, value in ids.items() if name in LOGGED_IDS})
            answer = view(call, **ids)
            response = _success(endpoint, answer, request)
        except Exception as error:
            response = problem_response(error, request.path, _of_payment(call))
            problem = json.loads(response.body)
            # Not at a login: a wrong password in one tab ends no login of another.
            if endpoint.browser and endpoint.body is None and response.status_code == HTTPStatus.UNAUTHORIZED:
                response.headers.update(without_token())
    services.monitoring.count_response(problem, endpoint.method, endpoint.path, request_id)
    if request_id:
        response.headers["X-Request-ID"] = request_id
    return response


def _request_id(request: Any) -> str:
    """Return the id that nginx gave the request, else API Gateway's, else an empty text."""
    for given in (request.headers.get("x-request-id"), request.context.get("requestId")):
        if REQUEST_ID.fullmatch(given or ""):
            return str(given)
    return ""


def _of_payment(call: Call | None) -> dict[str, Any]:
    """Return what every 402 of a caller has: where the caller buys points, null if the stage has no such page."""
    if call is None or call.caller is None:
        return {}
    return {"top_up_url": call.services.settings.top_up_url(call.user_id)}


def _success(endpoint: Endpoint, answer: Any, request: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    if not isinstance(answer, BaseModel):
        return make_response("", "application/json", endpoint.status)
    headers = {"ETag": etag_of(answer)} if endpoint.etag else {}
    if headers and endpoint.method == "GET" and matches(request.headers.get("if-none-match"), headers["ETag"]):
        return make_response("", "application/json", 304, headers)
    return make_response(answer.model_dump_json(), "application/json", endpoint.status, headers)


def _call(endpoint: Endpoint, request: Any, services: Container) -> Call:
    if endpoint.browser:
        check_same_origin(request.headers)
    caller, key = _caller(endpoint, request, services)
    add_to_log(user_id=key.actor_id if key else caller and caller.user_id)
    if endpoint.body is None:
        no_body(request.raw_body)
    body = body_of(endpoint.body, request.raw_body) if endpoint.body else None
    add_to_log(session_id=getattr(body, "session_id", None), stream_id=getattr(body, "stream_id", None))
    return Call(
        services=services,
        caller=caller,
        key=key,
        body=body,
        query=query_of(endpoint.query, request.query_params),
        client=Client(
            ip=str(request.context.get("identity", {}).get("sourceIp", "")),
            user_agent=str(request.headers.get("user-agent", ""))[:AGENT_CHARS_MAX],
        ),
        expected=versions_of(request.headers.get("if-match")) if endpoint.if_match else None,
        accept=str(request.headers.get("accept", "")),
        cookie=refresh_token_of(request.headers) if endpoint.browser else "",
    )


def _caller(endpoint: Endpoint, request: Any, services: Container) -> tuple[AccessClaims | None, ServiceKey | None]:
    """Return the caller or the service key of a request; neither on a route for anyone."""
    if endpoint.roles is None:
        return None, None
    token = bearer(request.headers.get("authorization"))
    if token and token.startswith(KEY_PREFIX):
        return None, services.service_keys.authenticate(token, endpoint.key_scope)
    caller = services.auth.authenticate(token)
    if endpoint.account:
        services.auth.check_account(caller, endpoint.roles)
    return caller, None
