"""The Chalice app as a WSGI application for gunicorn's sync workers: `gunicorn 'infra.local.emulator.wsgi:load()'`.

It replaces API Gateway. Like API Gateway, it rejects some requests before any Lambda function is called: unknown
paths, methods that a path does not have, bodies that are too large, and tokens that an authorizer denies. Each
rejection is a problem document. `gateway_responses` in `infra/deploy/template.py` has the texts that AWS sends.
"""

import json
import logging
from collections.abc import Iterable
from http import HTTPStatus
from http.client import responses
from typing import Any
from urllib.parse import quote, urlsplit

from chalice.app import Chalice
from chalice.local import LocalGatewayException

from chalicelib.api.checks import BODY_BYTES_MAX
from chalicelib.problems import PROBLEM_JSON, problem
from gateway.responses import Environ, StartResponse, Wsgi
from infra.local.emulator.lambda_gateway import Event, Gateway, body_of

BODY_METHODS = ("POST", "PUT", "PATCH", "DELETE")
# Responses that have no body by definition, and so no Content-Length (RFC 9110, 8.6).
WITHOUT_BODY = (204, 304)

log = logging.getLogger("api")


class Refused(Exception):
    """A request that is answered without calling a Lambda function. `document` is the problem document."""

    def __init__(self, document: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(document["code"])
        self.document = document
        self.headers = headers or {}


def load() -> Wsgi:
    """Return the platform's app. Create the AWS clients first, so that no request waits for them."""
    from app import app
    from chalicelib.adapters.aws import client

    for service in ("dynamodb", "secretsmanager", "s3", "sqs"):
        client(service)
    return application(app)


def application(app: Chalice) -> Wsgi:
    """Return a Chalice app as a WSGI application."""
    gateway = Gateway(app)

    def wsgi(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, headers, body = _answer(gateway, environ)
        except Refused as refusal:
            status, headers, body = _problem(refusal)
        except Exception:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ.get("PATH_INFO"))
            document = problem(500, "internal_error", "Something went wrong on our side. It was logged.")
            status, headers, body = _problem(Refused(document))
        if status not in WITHOUT_BODY:
            # In a response to HEAD, Content-Length is the length that a GET would have (RFC 9110, 8.6).
            headers.append(("Content-Length", str(len(body))))
        start_response(f"{status} {responses.get(status, 'Status')}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return wsgi


def _answer(gateway: Gateway, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
    method, path = environ["REQUEST_METHOD"], _raw_path(environ)
    method = _route_method(method, gateway.methods(path))
    body = _read_body(environ) if method in BODY_METHODS else None
    gateway.authorizer.context = {}
    try:
        response = gateway.handle_request(method, path, _headers(environ), body)
    except LocalGatewayException as refusal:
        raise _refusal(refusal, gateway.authorizer.context) from None
    return int(response["statusCode"]), _response_headers(response), body_of(response)


def _raw_path(environ: Environ) -> str:
    """Return path and query as the client sent them. PATH_INFO is decoded: `%2F` and `/` look the same in it."""
    raw = environ.get("RAW_URI")
    if raw is None:
        query = environ.get("QUERY_STRING", "")
        return quote(environ.get("PATH_INFO", "/")) + (f"?{query}" if query else "")
    if not raw.startswith("/"):  # http://host/path, as to a proxy
        parts = urlsplit(raw)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return str(raw)


def _route_method(method: str, allowed: list[str]) -> str:
    if not allowed:
        raise Refused(problem(404, "not_found", "There is nothing at this address."))
    if method == "HEAD" and "GET" in allowed:
        return "GET"
    if method not in allowed:
        listed = ", ".join(sorted({*allowed, *(["HEAD"] if "GET" in allowed else [])}))
        document = problem(405, "method_not_allowed", f"This address accepts {listed}.")
        raise Refused(document, {"Allow": listed})
    return method


def _read_body(environ: Environ) -> bytes:
    """Read the body, with a length or chunked, up to `BODY_BYTES_MAX`."""
    length = environ.get("CONTENT_LENGTH") or ""
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    if length and not length.isdecimal():
        raise Refused(problem(400, "invalid_request", "Content-Length must be a whole number."))
    if length and int(length) > BODY_BYTES_MAX:
        raise _too_large()
    if not length and not chunked:
        return b""
    body = bytes(environ["wsgi.input"].read(BODY_BYTES_MAX + 1 if chunked else int(length)))
    if len(body) > BODY_BYTES_MAX:
        raise _too_large()
    return body


def _too_large() -> Refused:
    return Refused(
        problem(413, "body_too_large", f"The body may have at most {BODY_BYTES_MAX} bytes."), {"Connection": "close"}
    )


def _headers(environ: Environ) -> dict[str, str]:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _refusal(refusal: LocalGatewayException, context: dict[str, Any]) -> Refused:
    """Return the response to a denial or a failure of the authorizer.

    A denial is 401 or 403, as in API Gateway. The code in the body is the reason.
    """
    if refusal.CODE == HTTPStatus.UNAUTHORIZED:
        document = problem(401, "token_invalid", "Send a token as `Authorization: Bearer <token>`.")
        return Refused(document, {"WWW-Authenticate": "Bearer"})
    if refusal.CODE == HTTPStatus.FORBIDDEN:
        end = {"end_reason": context["end_reason"]} if context.get("end_reason") else {}
        document = problem(
            403, context.get("code") or "forbidden", context.get("detail") or "This is not allowed.", **end
        )
        return Refused(document)
    log.error("the authorizer failed")
    return Refused(problem(500, "internal_error", "Something went wrong on our side. It was logged."))


def _problem(refusal: Refused) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [("Content-Type", PROBLEM_JSON), *refusal.headers.items()]
    return refusal.document["status"], headers, json.dumps(refusal.document).encode()


def _response_headers(response: Event) -> list[tuple[str, str]]:
    headers = {name: [str(value)] for name, value in (response.get("headers") or {}).items()}
    headers.update({name: list(map(str, values)) for name, values in (response.get("multiValueHeaders") or {}).items()})
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = ["application/json"]
    return [(name, value) for name, values in headers.items() for value in values if name.lower() != "content-length"]
