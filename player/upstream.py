"""Media requests to the gateway, each with the current play token: retried when the gateway is away, and taken to
the heartbeat when it refuses."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from player.gate import Gate, GateClosedError
from player.http import client_for
from player.outcome import Ending

HOLD_S_MAX = 12 * 3600.0
RETRY_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 3.0)
TIMEOUT = httpx.Timeout(10.0, connect=4.0)
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
    `on_over` takes a final refusal."""

    def __init__(
        self,
        gate: Gate,
        beat_now: Callable[[], None],
        begin_anew: Callable[[], None],
        on_over: Callable[[Ending], None],
        play_url: str,
    ) -> None:
        self._gate, self._beat_now, self._begin_anew, self._on_over = gate, beat_now, begin_anew, on_over
        self._client = client_for(play_url, timeout=TIMEOUT, limits=httpx.Limits(max_connections=16))
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
        self._client.close()

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
            response = self._send(method, f"{ticket.base_url}/{path}", headers, ticket.token)
            if response is not None and response.status_code not in REFUSALS:
                self._note(failing=False)
                return response
            self._note(failing=True)
            if response is not None:
                status, refused_token = response.status_code, ticket.token
                self._learn(response, ticket.token)
            elif self._gate.wait_closed(delay_s):
                raise GateClosedError
        raise MediaUnavailableError(status)

    def _send(self, method: str, url: str, headers: dict[str, str], token: str) -> httpx.Response | None:
        """Return the gateway's answer, or None for an outage."""
        request = self._client.build_request(
            method, url, headers={"Accept-Encoding": "identity", **headers, "Authorization": f"Bearer {token}"}
        )
        try:
            response = self._client.send(request, stream=True)
        except httpx.HTTPError:
            return None
        if response.status_code >= 500:
            response.close()
            return None
        return response

    def _learn(self, response: httpx.Response, token: str) -> None:
        """Read a refusal: either the session is over, or a beat brings a fresh token (or the reason)."""
        code, reason = _code_and_reason(response)
        if reason in CURABLE:
            if self._gate.is_current(token):  # else a fresh one came while this answer was under way
                (self._begin_anew if code == BOUND_ELSEWHERE else self._beat_now)()
            return
        self._gate.close()
        self._on_over(Ending.of_reason(str(reason)))
        raise GateClosedError

    def _note(self, failing: bool) -> None:
        with self._lock:
            if not failing:
                self._failing_since = None
            elif self._failing_since is None:
                self._failing_since = time.monotonic()


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
