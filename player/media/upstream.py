"""Media requests to the gateway, each with the current play token: retried when the gateway is away, and taken to
the heartbeat when it refuses. `MediaRoute` knows where the gateway is."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from player.errors import CliError
from player.http.client import by_proxy, client_for, proxy_to, why
from player.media.credentials import Gate, GateClosedError, Ticket
from player.media.route import MediaRoute, origin_of
from player.outcome import Ending

HOLD_S_MAX = 12 * 3600.0
RETRY_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 3.0)
TIMEOUT = httpx.Timeout(10.0, connect=4.0)
# While there is another address to try: time for one repeated packet.
TIMEOUT_OF_SEVERAL = httpx.Timeout(4.0, connect=2.5)
PROBLEM_BYTES_MAX = 65_536
REFUSALS = (401, 402, 403, 410)
# The session is tied to another address: a new one may be begun, and a beat would pay for a picture that is refused.
BOUND_ELSEWHERE = "session_bound_elsewhere"
# What a beat may mend: the lease or the token ran out, the session itself goes on. All other reasons are final.
CURABLE = (None, "lease_expired", "balance_exhausted")


class MediaUnavailableError(Exception):
    """The gateway gave no usable answer. `status` is what to tell mpv."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Upstream:
    """Fetches media for the relay. `beat_now` asks the heartbeat for a beat, `begin_anew` for another session,
    `on_over` takes a final refusal, `server` is the address that the viewer logged in to."""

    def __init__(
        self,
        gate: Gate,
        beat_now: Callable[[], None],
        begin_anew: Callable[[], None],
        on_over: Callable[[Ending], None],
        server: str,
    ) -> None:
        self._gate, self._beat_now, self._begin_anew, self._on_over = gate, beat_now, begin_anew, on_over
        self.route = MediaRoute(server)
        self._clients: dict[str, httpx.Client] = {}  # by scheme and host: which proxy leads there depends on them
        self._lock = threading.Lock()
        self._failing_since: float | None = None

    @property
    def failing_s(self) -> float:
        """Seconds since media requests have been failing without one success; 0 while all is well."""
        with self._lock:
            return 0.0 if self._failing_since is None else time.monotonic() - self._failing_since

    def forgive(self) -> None:
        """Forget failures so far: a pause came between."""
        self._note(failing=False)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            clients = list(self._clients.values())
        for client in clients:
            client.close()

    @contextmanager
    def open(self, method: str, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """Open a media file under the session's address: its body is streamed, its status is 200, 206, 404 and such.

        Raises GateClosedError, GateTimeoutError, MediaUnavailableError.
        """
        response = self._fetch(method, path, headers)
        try:
            yield response
        finally:
            response.close()

    def _fetch(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        refused_token, status = "", 503
        for delay_s in (*RETRY_DELAYS_S, 0.0):
            ticket = self._gate.ticket(HOLD_S_MAX, unlike=refused_token)
            asked_at = time.monotonic()
            response = self._send(method, ticket, path, headers)
            if response is not None and response.status_code not in REFUSALS:
                self._note(failing=False)
                return response
            self._note(failing=True, since=asked_at)
            if response is not None:
                status = response.status_code
                code, reason = _code_and_reason(response)
                if code is not None or self.route.is_found:
                    refused_token = ticket.token
                    self._learn(code, reason, ticket.token)
                    continue
            # An outage, or a refusal by a program that is no gateway: a beat would pay for nothing.
            if self._gate.wait_closed(delay_s):
                raise GateClosedError
        raise MediaUnavailableError(status)

    def _send(self, method: str, ticket: Ticket, path: str, headers: dict[str, str]) -> httpx.Response | None:
        """Return the gateway's answer, or None for an outage.

        Until a playlist has come, the viewer's own address is asked as well; of its answers only a playlist counts.
        """
        named: httpx.Response | None = None
        bases = self.route.bases(ticket.base_url)
        timeout = TIMEOUT if len(bases) == 1 else TIMEOUT_OF_SEVERAL
        wanted = {"Accept-Encoding": "identity", **headers, "Authorization": f"Bearer {ticket.token}"}
        for base in bases:
            response = self._ask(base, method, path, wanted, timeout)
            if response is None:
                continue
            if self.route.take(base, ticket.base_url, response):
                if named is not None:
                    named.close()
                return response
            if base == ticket.base_url and response.status_code < 500:
                named = response
            else:
                response.close()
        return named

    def _ask(
        self, base: str, method: str, path: str, headers: dict[str, str], timeout: httpx.Timeout
    ) -> httpx.Response | None:
        try:
            client = self._client_of(base)
            request = client.build_request(method, f"{base}/{path}", headers=headers, timeout=timeout)
            return client.send(request, stream=True)
        except CliError as error:  # the environment names a proxy that cannot be used
            self.route.fail(base, error.message)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # the last two: a bad address in the answer
            self.route.fail(base, f"{why(error)}{by_proxy(proxy_to(base))}")
        return None

    def _client_of(self, base: str) -> httpx.Client:
        origin = origin_of(base)
        with self._lock:
            if origin not in self._clients:
                self._clients[origin] = client_for(origin)
            return self._clients[origin]

    def _learn(self, code: str | None, reason: str | None, token: str) -> None:
        """Act on a refusal: either the session is over, or a beat brings a fresh token (or the reason)."""
        if reason in CURABLE:
            if self._gate.is_current(token):  # else a fresh one came while this answer was under way
                (self._begin_anew if code == BOUND_ELSEWHERE else self._beat_now)()
            return
        self._gate.close()
        self._on_over(Ending.of_reason(str(reason)))
        raise GateClosedError

    def _note(self, failing: bool, since: float | None = None) -> None:
        with self._lock:
            if not failing:
                self._failing_since = None
            elif self._failing_since is None:
                self._failing_since = since


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
