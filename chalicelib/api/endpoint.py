"""How a route is declared, and the one place that checks callers, bodies and answers.

A view gets a `Call` and its path parameters and answers a wire model; what it declares here is also what
`/openapi.json` is made from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chalice.app import Blueprint, Response
from pydantic import BaseModel, ValidationError

from chalicelib.api.problems import PROBLEM_JSON, TITLES, problem, problem_of
from chalicelib.bootstrap import Container, container
from chalicelib.domain import ids
from chalicelib.domain.errors import BodyTooLarge, Forbidden, Invalid, NotFound
from chalicelib.domain.tokens import AccessClaims
from chalicelib.domain.users import Role
from chalicelib.observability import logger
from chalicelib.services.monitoring import problem_counter

BODY_BYTES_MAX = 64 * 1024
USER_AGENT_CHARS_MAX = 200
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
# A path parameter of another form names nothing that could exist.
PATH_FORMS = {"stream_id": ids.STREAM_ID, "session_id": ids.SESSION_ID, "user_id": ids.USER_ID}
Model = TypeVar("Model", bound=BaseModel)
View = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, after its checks."""

    services: Container
    caller: AccessClaims | None
    body: Any
    query: Any
    ip: str
    user_agent: str

    @property
    def user_id(self) -> str:
        """The caller; only on routes that have a role."""
        if self.caller is None:
            raise RuntimeError("the route declares no role, so it has no caller")
        return self.caller.user_id


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A declared route."""

    method: str
    path: str
    summary: str
    role: Role | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int


@dataclass
class Routes:
    """A part of the API: a Chalice blueprint, and what was declared on it."""

    name: str
    blueprint: Blueprint = field(init=False)
    endpoints: list[Endpoint] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blueprint = Blueprint(self.name)

    def add(
        self,
        method: str,
        path: str,
        *,
        role: Role | None,
        answer: type[BaseModel] | None,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        status: int = 200,
    ) -> Callable[[View], View]:
        """Declare a route. `role` None means anyone; the docstring's first line becomes its summary."""

        def register(view: View) -> View:
            endpoint = Endpoint(
                method=method,
                path=path,
                summary=(view.__doc__ or "").strip().split("\n")[0],
                role=role,
                body=body,
                query=query,
                answer=answer,
                status=status,
            )
            self.endpoints.append(endpoint)

            def handler(**params: str) -> Response:
                return _respond(endpoint, view, self.blueprint.current_request, params)

            handler.__name__ = view.__name__
            # No content types: the body is read as JSON whatever it calls itself.
            self.blueprint.route(path, methods=[method], name=view.__name__, content_types=[])(handler)
            return view

        return register


def _respond(endpoint: Endpoint, view: View, request: Any, params: dict[str, str]) -> Response:
    services = container()
    try:
        call = _call(endpoint, request, services)
        answer = view(call, **_path(params))
        response = _success(endpoint, answer)
    except Exception as error:
        response = problem_response(error, request.path)
        _count(services, response)
    services.counters.flush_if_due()
    request_id = request.headers.get("x-request-id", "")
    if REQUEST_ID.fullmatch(request_id):
        response.headers["X-Request-ID"] = request_id
    return response


def _success(endpoint: Endpoint, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    body = answer.model_dump_json(exclude_none=False) if isinstance(answer, BaseModel) else ""
    return Response(body=body, status_code=endpoint.status, headers=headers)


def problem_response(error: Exception, path: str) -> Response:
    """The answer to a request that failed; what is nobody's fault but ours is logged with its trace."""
    document = problem_of(error)
    if document["status"] >= 500:
        logger().error("request failed", path=path, code=document["code"], exc_info=error)
    return as_response(document)


def as_response(document: dict[str, Any]) -> Response:
    """A problem document as an answer."""
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store"}
    if document["status"] == 503:
        headers["Retry-After"] = "1"
    if document["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body=json.dumps(document), status_code=document["status"], headers=headers)


def _count(services: Container, response: Response) -> None:
    document = json.loads(response.body)
    services.counters.add(problem_counter(document["status"], document["code"]))


def _call(endpoint: Endpoint, request: Any, services: Container) -> Call:
    caller = _caller(endpoint.role, request, services)
    return Call(
        services=services,
        caller=caller,
        body=_body(endpoint.body, request.raw_body) if endpoint.body else None,
        query=_query(endpoint.query, request.query_params),
        ip=str(request.context.get("identity", {}).get("sourceIp", "")),
        user_agent=str(request.headers.get("user-agent", ""))[:USER_AGENT_CHARS_MAX],
    )


def _caller(role: Role | None, request: Any, services: Container) -> AccessClaims | None:
    if role is None:
        return None
    caller = services.auth.authenticate(bearer(request.headers.get("authorization")))
    if role is Role.ADMIN and caller.role is not Role.ADMIN:
        raise Forbidden("This is for operators.")
    return caller


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization: Bearer …` header, None where there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _body(model: type[Model], raw: bytes) -> Model:
    if len(raw) > BODY_BYTES_MAX:
        raise BodyTooLarge(f"The body may have at most {BODY_BYTES_MAX} bytes.")
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise _invalid(error, "body") from None


def _query(model: type[Model] | None, params: Any) -> Model | None:
    values = {name: params.getlist(name) for name in params} if params else {}
    if model is None:
        if values:
            raise _field_error(next(iter(values)), "unknown; this takes no query parameters")
        return None
    for name, found in values.items():
        if len(found) > 1:
            raise _field_error(name, "given more than once")
    try:
        return model.model_validate({name: found[0] for name, found in values.items()})
    except ValidationError as error:
        raise _invalid(error, "query") from None


def _path(params: dict[str, str]) -> dict[str, str]:
    for name, value in params.items():
        form = PATH_FORMS.get(name)
        if form and not form.fullmatch(value):
            raise NotFound(f"There is no {name.removesuffix('_id')} of the id given.")
    return params


def _field_error(name: str, detail: str) -> Invalid:
    return Invalid(f"{name}: {detail}", errors=[{"field": name, "detail": detail}])


def _invalid(error: ValidationError, part: str) -> Invalid:
    errors = [
        {"field": ".".join(str(step) for step in each["loc"]) or part, "detail": each["msg"]}
        for each in error.errors(include_url=False, include_context=False, include_input=False)[:20]
    ]
    return Invalid("; ".join(f"{each['field']}: {each['detail']}" for each in errors), errors=errors)


def middleware(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Chalice's own refusals (wrong method, a crash outside of a view) as problem documents too."""
    response = get_response(event)
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM_JSON:
        return response
    status = response.status_code
    code = {405: "method_not_allowed"}.get(status, "internal_error" if status >= 500 else "invalid_request")
    response.body = json.dumps(problem(status, code, f"{TITLES.get(status, 'Error')}."))
    response.headers["Content-Type"] = PROBLEM_JSON
    return response
