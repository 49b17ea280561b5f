"""API Gateway for one Chalice app: what AWS does before a function receives a request.

Chalice's `LocalGateway` omits the client's address, does not decode path parameters, and drops the context of an
authorizer that denies. This subclass behaves as AWS does, where GatewayResponses put that context into the refusal.
"""

import base64
from typing import Any
from urllib.parse import unquote

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LambdaEventConverter, LocalGateway, LocalGatewayAuthorizer, RouteMatcher

ADDRESS_HEADER = "x-real-ip"
REQUEST_ID_HEADER = "x-request-id"
FUNCTION_TIMEOUT_S = 29
FUNCTION_MEMORY_MB = 512

Event = dict[str, Any]


class EventConverter(LambdaEventConverter):
    """Converter of requests to events of API Gateway."""

    def create_lambda_event(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Event:
        """Return the event of a request. Raise ValueError if no route matches the path."""
        event: Event = super().create_lambda_event(method, path, headers, body)
        context = event["requestContext"]
        # nginx sets this header on every request, so it never comes from a client.
        context["identity"]["sourceIp"] = event["headers"].pop(ADDRESS_HEADER, self.LOCAL_SOURCE_IP)
        context["identity"]["userAgent"] = event["headers"].get("user-agent")
        context["requestId"] = event["headers"].get(REQUEST_ID_HEADER, "")
        event["pathParameters"] = {name: unquote(value) for name, value in event["pathParameters"].items()}
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
        if isinstance(event["body"], bytes):
            # A function receives text, in which API Gateway has replaced bytes that are not UTF-8.
            event["body"] = event["body"].decode("utf-8", errors="replace")
        return event


class Authorizer(LocalGatewayAuthorizer):
    """An authorizer that keeps the context of its last decision, which Chalice's refusal does not contain."""

    def __init__(self, app: Chalice) -> None:
        super().__init__(app)
        self.context: dict[str, Any] = {}

    def _check_can_invoke_view_function(self, arn: str, auth_result: Event) -> bool:
        self.context = auth_result.get("context") or {}
        return bool(super()._check_can_invoke_view_function(arn, auth_result))


class Gateway(LocalGateway):
    """A Chalice app that is called with requests, one at a time, as in Lambda."""

    def __init__(self, app: Chalice) -> None:
        super().__init__(app, Config.create(lambda_timeout=FUNCTION_TIMEOUT_S, lambda_memory_size=FUNCTION_MEMORY_MB))
        self._app = app
        self.event_converter = EventConverter(RouteMatcher(list(app.routes)), app.api.binary_types)
        self.authorizer = self._authorizer = Authorizer(app)

    def methods(self, path: str) -> list[str]:
        """Return the methods of the path's route, or an empty list if no route matches.

        Chalice's matcher reads the path as a URL: `//x/me` would be `/me` on the host `x`, and `/me;a` would be `/me`.
        """
        plain = path.partition("?")[0]
        if not plain.startswith("/") or "//" in plain or ";" in plain or "#" in plain:
            return []
        try:
            route = self.event_converter._route_matcher.match_route(plain).route
        except ValueError:
            return []
        return list(self._app.routes[route])


def body_of(response: Event) -> bytes:
    """Return the body of a function's response as bytes."""
    body = response.get("body")
    if body is None:
        return b""
    if response.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body if isinstance(body, bytes) else str(body).encode()
