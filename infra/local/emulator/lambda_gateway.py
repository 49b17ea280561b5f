"""What API Gateway does before a function sees a request, on top of Chalice's own local gateway.

Chalice's `LocalGateway` leaves out the caller's address, does not decode path parameters, and forgets what a refusing
authorizer said. Here it does as in AWS, where GatewayResponses put the authorizer's context into the refusal.
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
    """Makes the event as API Gateway would."""

    def create_lambda_event(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Event:
        """The event of a request; raises ValueError if no route matches the path."""
        event: Event = super().create_lambda_event(method, path, headers, body)
        context = event["requestContext"]
        # nginx sets this header on every request, so a client's own never gets here.
        context["identity"]["sourceIp"] = event["headers"].pop(ADDRESS_HEADER, self.LOCAL_SOURCE_IP)
        context["identity"]["userAgent"] = event["headers"].get("user-agent")
        context["requestId"] = event["headers"].get(REQUEST_ID_HEADER, "")
        event["pathParameters"] = {name: unquote(value) for name, value in event["pathParameters"].items()}
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
        if isinstance(event["body"], bytes):
            # A function is handed text, in which API Gateway has replaced what is not UTF-8.
            event["body"] = event["body"].decode("utf-8", errors="replace")
        return event


class Authorizer(LocalGatewayAuthorizer):
    """Remembers what the authorizer last said, since a refusal of Chalice's does not carry it."""

    def __init__(self, app: Chalice) -> None:
        super().__init__(app)
        self.said: dict[str, Any] = {}

    def _check_can_invoke_view_function(self, arn: str, auth_result: Event) -> bool:
        self.said = auth_result.get("context") or {}
        return bool(super()._check_can_invoke_view_function(arn, auth_result))


class Gateway(LocalGateway):
    """One Chalice app, called with requests. One request at a time a process, as in Lambda."""

    def __init__(self, app: Chalice) -> None:
        super().__init__(app, Config.create(lambda_timeout=FUNCTION_TIMEOUT_S, lambda_memory_size=FUNCTION_MEMORY_MB))
        self._app = app
        self.event_converter = EventConverter(RouteMatcher(list(app.routes)), app.api.binary_types)
        self._authorizer: Authorizer = Authorizer(app)

    def methods(self, path: str) -> list[str]:
        """The methods that the route of this path has, none if there is no such route.

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

    def forget(self) -> None:
        """Start a new request: nothing has been said about it."""
        self._authorizer.said = {}

    def said(self) -> dict[str, Any]:
        """The context that the authorizer gave for the last request."""
        return dict(self._authorizer.said)


def body_of(response: Event) -> bytes:
    """The bytes of a function's answer."""
    body = response.get("body")
    if body is None:
        return b""
    if response.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body if isinstance(body, bytes) else str(body).encode()
