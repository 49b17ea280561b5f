"""The address of a session's media: the one that the server names, else the one that the viewer logged in to.

Behind `ssh -L` or a container's port mapping, the server does not know the address that the viewer uses.
"""

import threading
from urllib.parse import urlsplit

import httpx

PLAYLIST_TYPE, PROBLEM_TYPE = "mpegurl", "problem+json"
REFUSALS = (401, 402, 403, 410)


class MediaRoute:
    """The first address that returned a playlist. Safe to use from several threads.

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
        """Whether one of the addresses has returned a playlist."""
        with self._lock:
            return self._through_server is not None

    @property
    def was_answered(self) -> bool:
        """Whether a gateway has answered, even with a refusal or a server error."""
        with self._lock:
            return self._was_answered or self._through_server is not None

    @property
    def trouble(self) -> str:
        """The addresses that fail, each with the reason."""
        with self._lock:
            return ", ".join(f"{origin} ({fault})" for origin, fault in self._faults.items())

    def base_urls(self, base_url: str) -> list[str]:
        """Return the addresses to try, in order. `base_url` is the one that the server names for the session."""
        mapped = at_server(base_url, self._server)
        with self._lock:
            if mapped is None or self._through_server is False:
                return [base_url]
            return [mapped] if self._through_server else [base_url, mapped]

    def note_answer(self, address: str, base_url: str, response: httpx.Response) -> bool:
        """Store whether an answer from one of the `base_urls` was usable, and return that.

        Until the route is found, only a playlist is usable: another program may listen at the named address.
        """
        content_type = response.headers.get("Content-Type", "")
        is_playlist = response.status_code == 200 and PLAYLIST_TYPE in content_type
        is_problem = PROBLEM_TYPE in content_type
        with self._lock:
            if address == base_url and (response.status_code >= 500 or is_problem):
                self._was_answered = True
            if self._through_server is None and is_playlist:
                self._through_server = address != base_url
            is_usable = self._through_server is not None and response.status_code < 500
            if not is_usable:
                self._faults[origin_of(address)] = f"it answers {response.status_code}"
            elif response.status_code not in REFUSALS:
                self._faults.clear()
            return is_usable

    def note_failure(self, address: str, fault: str) -> None:
        """Store why an address gave no answer."""
        with self._lock:
            self._faults[origin_of(address)] = fault


def at_server(base_url: str, server: str) -> str | None:
    """Return the same path at the viewer's server, or None if that is the same address or would drop encryption."""
    named, login = urlsplit(base_url), urlsplit(server)
    if named.scheme == "https" and login.scheme != "https":
        return None
    has_prefix = not login.path or named.path.startswith(f"{login.path}/")
    path = named.path if has_prefix else f"{login.path}{named.path}"
    mapped = f"{login.scheme}://{login.netloc}{path}"
    return None if mapped == base_url else mapped


def origin_of(url: str) -> str:
    """Return the scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
