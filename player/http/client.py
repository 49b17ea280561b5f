"""JSON over HTTP to the Tollcast server, with time limits. Refusals and transport failures are different errors."""

import platform
import re
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

from player.errors import BadVariableError, CliError, UnreachableError
from player.exit_status import ExitStatus
from player.http.proxies import Proxy, proxy_for
from player.terminal.text import printable
from player.version import installed_version

TIMEOUT_S = httpx.Timeout(8.0, connect=4.0)
NO_CONTENT, PROXY_LOGIN = 204, 407
LIMITS = httpx.Limits(max_connections=16)
# What operators see as the device, and a bound session as its program.
AGENT = f"tollcast/{installed_version()} ({platform.system()})"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ProblemError(CliError):
    """A refusal by the server, an RFC 9457 problem. `fields` is the whole document."""

    def __init__(self, status: int, fields: dict[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.fields = fields
        self.code = str(fields.get("code") or f"http_{status}")
        self.retry_after_s = retry_after_s
        detail = printable(str(fields.get("detail") or fields.get("title") or f"HTTP status {status}")).rstrip(".")
        wait = f" Try again in {retry_after_s:.0f} seconds." if retry_after_s else ""
        super().__init__(f"{detail} ({self.code}).", wait.strip(), ExitStatus.REFUSED, fields.get("end_reason"))


def proxy_to(url: str) -> Proxy | None:
    """Return the environment's proxy for a server, None for this machine. Raise BadVariableError."""
    return None if urlsplit(url).hostname in LOOPBACK else proxy_for(url)


def client_for(url: str, limits: httpx.Limits = LIMITS, **settings: Any) -> httpx.Client:
    """Return an HTTP client for one server. Raise BadVariableError."""
    proxy = proxy_to(url)
    try:
        transport = httpx.HTTPTransport(
            proxy=proxy.url if proxy else None, limits=limits, trust_env=urlsplit(url).hostname not in LOOPBACK
        )
    except OSError as error:
        reason = error.strerror or error
        raise BadVariableError(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read ({reason}): correct or unset it."
        ) from None
    # With a transport, httpx ignores the proxy variables.
    return httpx.Client(transport=transport, headers={"User-Agent": AGENT}, **settings)


class Http:
    """Requests to one server. Safe to use from several threads."""

    def __init__(self, server: str) -> None:
        self.server = server

    def prepare(self) -> None:
        """Build the client. Raise BadVariableError, as the requests do."""
        _ = self._client

    @cached_property
    def _client(self) -> httpx.Client:
        return client_for(self.server, base_url=self.server, timeout=TIMEOUT_S, follow_redirects=False)

    def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        bearer: str = "",
        timeout_s: float | None = None,
        if_match: str | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object in the server's response. `if_match` is the header of this name.

        Raise ProblemError for a refusal (4xx), UnreachableError for a transport failure or a 5xx.
        """
        timeout = TIMEOUT_S if timeout_s is None else timeout_s
        response = self._send(method, path, body, bearer, timeout, {"If-Match": if_match} if if_match else {})
        if response.status_code == NO_CONTENT:
            return {}
        fields = _json_object(response)
        if fields is None:
            raise self._not_tollcast()
        return fields

    def csv(self, path: str, bearer: str, timeout_s: float) -> str:
        """Return the CSV in the server's response. Raises the errors of `request`."""
        response = self._send("GET", path, None, bearer, timeout_s)
        if not response.headers.get("Content-Type", "").startswith("text/csv"):
            raise self._not_tollcast()
        try:
            return response.content.decode("utf-8")
        except UnicodeDecodeError:
            raise self._not_tollcast() from None

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        bearer: str,
        timeout: httpx.Timeout | float,
        more_headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        headers = {**(more_headers or {}), **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
        try:
            response = self._client.request(method, path, json=body, headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            raise self._unreachable(reason_of(error)) from None
        if response.status_code < 300:
            return response
        fields = _json_object(response) or {}
        if response.status_code >= 500:
            detail = printable(str(fields.get("detail") or f"it answers {response.status_code}"))
            raise self._unreachable(detail, retry_after(response))
        if response.status_code == PROXY_LOGIN:
            raise self._unreachable("it requires a login")
        if response.status_code >= 400:
            raise ProblemError(response.status_code, fields, retry_after(response))
        raise self._not_tollcast()

    def _not_tollcast(self) -> UnreachableError:
        return self._unreachable("what answers there is not a Tollcast server")

    def _unreachable(self, detail: str, retry_after_s: float | None = None) -> UnreachableError:
        proxy = proxy_to(self.server)
        return UnreachableError(self.server, f"{detail}{proxy_note(proxy)}", retry_after_s)

    def close(self) -> None:
        """Close all connections."""
        if "_client" in self.__dict__:
            self._client.close()


def proxy_note(proxy: Proxy | None) -> str:
    """Return a note that names the variable of the proxy that a failed request used."""
    return f" (through the proxy that {proxy.variable} names)" if proxy else ""


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds in the Retry-After header, an hour at most, or None."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), 3600.0) if value.isdigit() else None


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        value = response.json()
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def reason_of(error: Exception) -> str:
    """Return why a request got no response, for people."""
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time"
    return printable(re.sub(r"\[Errno -?\d+\] ", "", str(error))) or type(error).__name__
