"""WSGI middleware that records requests and injects faults."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NamedTuple

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Request(NamedTuple):
    """A request that was executed. `at_s` is the monotonic clock's time of its response."""

    at_s: float
    method: str
    path: str
    status: int
    body: Any


class FaultInjector:
    """The middleware. Tests set its attributes, and read the executed `requests`."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app
        self._changed = threading.Condition()
        self.requests: list[Request] = []
        self.tokens: set[str] = set()  # all bearer tokens that were sent
        self.drop_next: set[str] = set()  # paths whose next request is executed and not answered
        self.dead_paths: tuple[str, ...] = ()  # requests to these prefixes are not executed and not answered
        self.media_status = 200  # the status of authorized requests for media
        self.before: dict[str, Callable[[], None]] = {}  # called before each request to a path is executed
        self.after: dict[str, Callable[[], None]] = {}  # called before each response of a path is sent

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["RAW_URI"]
        if path.startswith(self.dead_paths):
            raise ConnectionAbortedError
        if path in self.before:
            self.before[path]()
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        responses: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = list(self._app({**environ, "wsgi.input": BytesIO(body)}, lambda *sent: responses.append(sent)))
        status, headers = responses[-1]
        if path.startswith("/play/") and self.media_status != 200 and status < "4":
            status, headers, chunks = f"{self.media_status} Fault", [("Content-Length", "0")], []
        if path in self.after:
            self.after[path]()
        with self._changed:
            if token := environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer "):
                self.tokens.add(token)
            request = Request(
                time.monotonic(), environ["REQUEST_METHOD"], path, int(status[:3]), json.loads(body or b"null")
            )
            self.requests.append(request)
            self._changed.notify_all()
            if path in self.drop_next:
                self.drop_next.remove(path)
                raise ConnectionAbortedError
        start_response(status, headers)
        return chunks

    def seen(self, method: str, prefix: str, since: float = 0.0) -> list[Request]:
        with self._changed:
            return [r for r in self.requests if r.method == method and r.path.startswith(prefix) and r.at_s >= since]

    def segments(self, since: float = 0.0) -> list[str]:
        """The paths of the segments that were sent, in order."""
        return [r.path for r in self.seen("GET", "/play/", since) if r.path.endswith(".ts") and r.status == 200]

    def wait_for_media(self, since: float = 0.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.segments(since), 20), "no media"

    def wait_for(self, method: str, prefix: str, count: int = 1, timeout_s: float = 20.0, since: float = 0.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen(method, prefix, since)) >= count, timeout_s), (
                f"no {count} x {method} {prefix} in {timeout_s} s: {[r[1:4] for r in self.requests[-20:]]}"
            )
