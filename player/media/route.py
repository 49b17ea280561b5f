"""The addresses of a session's media: the one that the server names, else the one that the viewer uses.

Behind `ssh -L` or a container's port mapping the server does not know the address under which the viewer reaches it.
"""

import threading
from urllib.parse import urlsplit

import httpx

PLAYLIST_TYPE, PROBLEM_TYPE = "mpegurl", "problem+json"


class MediaRoute:
    """Chooses the first address that gives a playlist, and stays with it. Safe to use from several threads.

    `server` is the address that the viewer logged in to.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._through_server: bool | None = None
        self._was_answered = False
        self._faults: dict[str, str] = {}

    @property
    def is_found(self) -> bool:
        """Whether one of the addresses has given a playlist."""
        with self._lock:
            return self._through_server is not None

    @property
    def was_answered(self) -> bool:
        """Whether a gateway has answered, also with a refusal, or because it is out of order for now."""
        with self._lock:
            return self._was_answered or self._through_server is not None

    @property
    def trouble(self) -> str:
        """The addresses that failed last, each with the reason."""
        with self._lock:
            return ", ".join(f"{origin} ({fault})" for origin, fault in self._faults.items())

    def bases(self, base_url: str) -> list[str]:
        """Return the addresses to ask, in order. `base_url` is the one that the server names for the session."""
        mapped = at_server(base_url, self._server)
        with self._lock:
            if mapped is None or self._through_server is False:
                return [base_url]
            return [mapped] if self._through_server else [base_url, mapped]

    def take(self, base: str, base_url: str, response: httpx.Response) -> bool:
        """Note an answer from one of the `bases`. Return whether to use it whatever the other one answers.

        Until the route is found that is a playlist only: another program may listen at the address that was named.
        """
        content_type = response.headers.get("Content-Type", "")
        is_playlist = response.status_code == 200 and PLAYLIST_TYPE in content_type
        is_problem = PROBLEM_TYPE in content_type
        with self._lock:
            if base == base_url and (response.status_code >= 500 or is_problem):
                self._was_answered = True
            if self._through_server is None and is_playlist:
                self._through_server = base != base_url
            usable = self._through_server is not None and response.status_code < 500
            if usable:
                self._faults.clear()
            else:
                self._faults[origin_of(base)] = f"it answers {response.status_code}"
            return usable

    def fail(self, base: str, fault: str) -> None:
        """Note that an address gave no usable answer."""
        with self._lock:
            self._faults[origin_of(base)] = fault


def at_server(base_url: str, server: str) -> str | None:
    """Return the same path at the viewer's server. None where that is the same address, or would give up encryption."""
    named, typed = urlsplit(base_url), urlsplit(server)
    if named.scheme == "https" and typed.scheme != "https":
        return None
    has_prefix = not typed.path or named.path.startswith(f"{typed.path}/")
    path = named.path if has_prefix else f"{typed.path}{named.path}"
    mapped = f"{typed.scheme}://{typed.netloc}{path}"
    return None if mapped == base_url else mapped


def origin_of(url: str) -> str:
    """Return the scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
