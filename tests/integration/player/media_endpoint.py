"""The gateway for media as a WSGI application: it authorizes with the gateway's own endpoints, without nginx."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.endpoints.authorization import denial, verdict
from gateway.endpoints.services import EndpointServices

PLAYLIST = "application/vnd.apple.mpegurl"


class MediaEndpoint:
    """A server of a directory's files to sessions that may watch."""

    def __init__(self, directory: Path, services: EndpointServices) -> None:
        self.directory = directory
        self._services = services

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        status, kind, data = self._respond(environ)
        headers = {"Content-Type": kind}
        if kind == PLAYLIST:
            headers["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
            if environ.get("HTTP_IF_NONE_MATCH") == headers["ETag"]:
                status, data = 304, b""
        headers["Content-Length"] = str(len(data))
        start_response(f"{status} Status", list(headers.items()))
        return [data]

    def _respond(self, environ: dict[str, Any]) -> tuple[int, str, bytes]:
        _, _, session_id, file = environ["PATH_INFO"].split("/", 3)
        question = {
            "HTTP_AUTHORIZATION": environ.get("HTTP_AUTHORIZATION", ""),
            "HTTP_X_TOLLCAST_SESSION": session_id,
            "HTTP_X_TOLLCAST_ADDRESS": environ["REMOTE_ADDR"],
            "HTTP_X_TOLLCAST_AGENT": environ.get("HTTP_USER_AGENT", ""),
        }
        if verdict(self._services, question).status != 200:
            refusal = denial(self._services, question)
            return refusal.status, "application/problem+json", json.dumps(refusal.document).encode()
        try:
            data = (self.directory / file).read_bytes()
        except OSError:
            return 404, "text/html", b""
        return 200, PLAYLIST if file.endswith(".m3u8") else "video/mp2t", data
