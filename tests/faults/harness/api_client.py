"""An HTTP client for one thread, with one connection. It retries only where its caller asks for it."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

# Longer than the time-outs of the gateway (35 s), so that the platform gives up first.
ANSWER_S_MAX = 40.0
RETRY_PAUSE_S = 0.2


class NoAnswer(Exception):
    """The connection ended before an answer came, so the outcome of the request is unknown."""


class NeverAnswered(AssertionError):
    """All retries of a request ended without an answer."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `took_s` is the time from the request to the last byte."""

    status: int
    document: dict[str, Any]
    took_s: float

    @property
    def code(self) -> str:
        """The code of the problem, or `ok`."""
        return "ok" if self.status < 300 else str(self.document.get("code", self.status))

    @property
    def is_final(self) -> bool:
        """False where the client has to log in (401) or to retry (502 to 504)."""
        return self.status not in (401, 502, 503, 504)


@dataclass
class Account:
    """A login that threads share. It logs in again when the access token (15 minutes) has expired."""

    url: str
    email: str
    password: str
    _token: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, client: "ApiClient", refused: str = "") -> str:
        """Return an access token other than the `refused` one."""
        with self._lock:
            if not self._token or self._token == refused:
                body = {"email": self.email, "password": self.password}
                answer = client.retry_until_answered(lambda: client.request("POST", "/auth/login", body))
                assert answer.status == 200, f"no login for {self.email}: {answer}"
                self._token = answer.document["access_token"]
            return self._token


class ApiClient:
    """The connection of one thread, kept alive; `retries` counts them by their cause."""

    def __init__(self, url: str, account: Account | None = None, patience_s: float = 90.0) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._connection: http.client.HTTPConnection | None = None
        self._account = account
        self._patience_s = patience_s
        self.retries: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """Send a request once. Raise `NoAnswer`."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        began = time.monotonic()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_S_MAX)
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(type(error).__name__) from None
        took_s = time.monotonic() - began
        if response.will_close:
            self.close()
        is_json = "json" in (response.headers.get_content_type() or "")
        return Answer(response.status, json.loads(text) if is_json and text else {}, took_s)

    def send_once(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request of the account once, or twice if its login had expired. Raise `NoAnswer`."""
        assert self._account is not None
        token = self._account.token(self)
        answer = self.request(method, path, body, token)
        if answer.status == 401:
            answer = self.request(method, path, body, self._account.token(self, refused=token))
        return answer

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request of the account until it is answered. Raise `NeverAnswered`."""
        return self.retry_until_answered(lambda: self.send_once(method, path, body))

    def retry_until_answered(self, send: Callable[[], Answer]) -> Answer:
        """Call `send` until its answer is final. Raise `NeverAnswered` after `patience_s`."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = send()
                if answer.is_final:
                    return answer
                why = answer.code
            except NoAnswer as error:
                why = str(error)
            self.retries[why] = self.retries.get(why, 0) + 1
            if time.monotonic() > deadline:
                raise NeverAnswered(f"no answer within {self._patience_s:.0f} s; the last was {why}")
            time.sleep(RETRY_PAUSE_S)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
