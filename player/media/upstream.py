"""Media requests to the gateway with the current play token.

Outages are retried, refusals go to the heartbeat, and segments ahead of payment are repeated until it has paid.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx

from player.endings import Ending
from player.errors import CliError
from player.http.client import client_for, proxy_note, proxy_to, reason_of
from player.media.credentials import CredentialsProvider, MediaCredentials, SessionOverError
from player.media.route import REFUSALS, MediaRoute, origin_of

HOLD_S_MAX = 12 * 3600.0
RETRY_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 3.0)
TIMEOUT = httpx.Timeout(10.0, connect=4.0)
# Shorter while there is another address to try, but long enough for one retransmission.
TIMEOUT_OF_SEVERAL = httpx.Timeout(4.0, connect=2.5)
# The gateway holds a segment ahead of payment for 6 s before it answers 429, so this is longer than the longest lease.
TOO_MANY_TRIES_MAX = 12
RETRY_AFTER_S, RETRY_AFTER_S_MAX = 1.0, 5.0
PROBLEM_BYTES_MAX = 65_536
# The session is bound to another address. It needs a restart: a heartbeat would pay for media that are refused.
BOUND_ELSEWHERE = "session_bound_elsewhere"
# The end reasons that a heartbeat may resolve: the lease or the token expired. All others are final.
RECOVERABLE = (None, "lease_expired", "balance_exhausted")


class MediaUnavailableError(Exception):
    """The gateway gave no usable answer. `status` is the answer to mpv."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Upstream:
    """Fetches media for the relay.

    `send_heartbeat` requests a heartbeat, `restart_session` another session; `on_over` receives a final refusal.
    `server` is the address that the viewer logged in to.
    """

    def __init__(
        self,
        credentials: CredentialsProvider,
        send_heartbeat: Callable[[], None],
        restart_session: Callable[[], None],
        on_over: Callable[[Ending], None],
        server: str,
    ) -> None:
        self._credentials, self._on_over = credentials, on_over
        self._send_heartbeat, self._restart_session = send_heartbeat, restart_session
        self.route = MediaRoute(server)
        self._clients: dict[str, httpx.Client] = {}  # by origin: the proxy depends on it
        self._lock = threading.Lock()
        self._failing_since: float | None = None
        self._delayed = 0  # requests that were answered 429

    @property
    def is_ahead_of_payment(self) -> bool:
        """Whether a request is being repeated that the gateway answered with 429."""
        with self._lock:
            return self._delayed > 0

    @property
    def failing_s(self) -> float:
        """Seconds since the first failed request after the last success; 0 if the last one succeeded."""
        with self._lock:
            return 0.0 if self._failing_since is None else time.monotonic() - self._failing_since

    def reset_failures(self) -> None:
        """Forget the failures before a pause."""
        with self._lock:
            self._failing_since = None

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            clients = list(self._clients.values())
        for client in clients:
            client.close()

    @contextmanager
    def open(
        self, method: str, path: str, headers: dict[str, str], is_wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[httpx.Response]:
        """Open a media file of the session. The body is streamed; the status is 200, 206, 304, 404 and the like.

        A file that is ahead of payment is requested again, while `is_wanted`.
        Raise SessionOverError, CredentialsTimeoutError, MediaUnavailableError.
        """
        response = self._fetch(method, path, headers)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            response = self._fetch_later(method, path, headers, response, is_wanted)
        try:
            yield response
        finally:
            response.close()

    def _fetch_later(
        self, method: str, path: str, headers: dict[str, str], response: httpx.Response, is_wanted: Callable[[], bool]
    ) -> httpx.Response:
        """Repeat a request that was answered 429. The player's buffer goes on playing meanwhile."""
        self._count_delayed(1)
        try:
            for _ in range(TOO_MANY_TRIES_MAX):
                response.close()
                if self._credentials.wait_closed(_retry_after_s(response)):
                    raise SessionOverError
                if not is_wanted():
                    break
                response = self._fetch(method, path, headers)
                if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                    return response
            response.close()
            raise MediaUnavailableError(HTTPStatus.TOO_MANY_REQUESTS)
        finally:
            self._count_delayed(-1)

    def _count_delayed(self, by: int) -> None:
        with self._lock:
            self._delayed += by

    def _fetch(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        refused_token, status = "", 503
        for delay_s in (*RETRY_DELAYS_S, 0.0):
            credentials = self._credentials.get(HOLD_S_MAX, refused_token)
            sent_at = time.monotonic()
            response = self._send(method, credentials, path, headers)
            if response is not None and response.status_code not in REFUSALS:
                self.reset_failures()
                return response
            self._note_failure(sent_at)
            if response is not None:
                status = response.status_code
                code, reason = _code_and_reason(response)
                if code is not None or self.route.is_found:
                    refused_token = credentials.token
                    self._handle_refusal(code, reason, refused_token)
                    continue
            # An outage, or a refusal by a program that is not the gateway: a heartbeat would pay for nothing.
            if self._credentials.wait_closed(delay_s):
                raise SessionOverError
        raise MediaUnavailableError(status)

    def _send(
        self, method: str, credentials: MediaCredentials, path: str, headers: dict[str, str]
    ) -> httpx.Response | None:
        """Return the gateway's answer, or None for an outage.

        Until a playlist has come, the viewer's own address is tried, too; of its answers only a playlist counts.
        """
        named: httpx.Response | None = None
        base_urls = self.route.base_urls(credentials.base_url)
        timeout = TIMEOUT if len(base_urls) == 1 else TIMEOUT_OF_SEVERAL
        headers = {"Accept-Encoding": "identity", **headers, "Authorization": f"Bearer {credentials.token}"}
        for base_url in base_urls:
            response = self._send_to(base_url, method, path, headers, timeout)
            if response is None:
                continue
            if self.route.note_answer(base_url, credentials.base_url, response):
                if named is not None:
                    named.close()
                return response
            if base_url == credentials.base_url and response.status_code < 500:
                named = response
            else:
                response.close()
        return named

    def _send_to(
        self, base_url: str, method: str, path: str, headers: dict[str, str], timeout: httpx.Timeout
    ) -> httpx.Response | None:
        try:
            client = self._client_of(base_url)
            request = client.build_request(method, f"{base_url}/{path}", headers=headers, timeout=timeout)
            return client.send(request, stream=True)
        except CliError as error:  # the environment names a proxy that cannot be used
            self.route.note_failure(base_url, error.message)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # the last two: a bad `play_url`
            self.route.note_failure(base_url, f"{reason_of(error)}{proxy_note(proxy_to(base_url))}")
        return None

    def _client_of(self, base_url: str) -> httpx.Client:
        origin = origin_of(base_url)
        with self._lock:
            if origin not in self._clients:
                self._clients[origin] = client_for(origin)
            return self._clients[origin]

    def _handle_refusal(self, code: str | None, reason: str | None, token: str) -> None:
        """Request a heartbeat, which brings a fresh token, or a restart. Raise SessionOverError for a final reason."""
        if reason in RECOVERABLE:
            if self._credentials.is_current(token):  # else a fresh token came while the request was in flight
                (self._restart_session if code == BOUND_ELSEWHERE else self._send_heartbeat)()
            return
        self._credentials.close()
        self._on_over(Ending.of_reason(str(reason)))
        raise SessionOverError

    def _note_failure(self, since: float) -> None:
        with self._lock:
            if self._failing_since is None:
                self._failing_since = since


def _retry_after_s(response: httpx.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), RETRY_AFTER_S_MAX) if re.fullmatch("[0-9]{1,9}", seconds) else RETRY_AFTER_S


def _code_and_reason(response: httpx.Response) -> tuple[str | None, str | None]:
    try:
        if int(response.headers.get("Content-Length", "0")) > PROBLEM_BYTES_MAX:
            return None, None
        response.read()
        fields = response.json()
    except (httpx.HTTPError, ValueError):
        return None, None
    finally:
        response.close()
    return (fields.get("code"), fields.get("end_reason")) if isinstance(fields, dict) else (None, None)
