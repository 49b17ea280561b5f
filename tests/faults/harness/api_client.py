"""A thin HTTP client for many threads: one connection each, and nothing retried that the caller did not ask for."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

# Longer than the gateway's own time-outs (35 s), so that it is the platform that gives up first.
ANSWER_S_MAX = 40.0
RETRY_PAUSE_S = 0.2


class NoAnswer(Exception):
    """The connection ended before an answer came: nobody knows what became of the request."""


class NeverAnswered(AssertionError):
    """A request that was sent again and again found no answer in the time that it had."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `took_s` is the time from sending to the last byte, in seconds."""

    status: int
    document: dict[str, Any]
    took_s: float

    @property
    def code(self) -> str:
        """The problem's code; `ok` if it is none."""
        return "ok" if self.status < 300 else str(self.document.get("code", self.status))

    @property
    def definite(self) -> bool:
        """Whether it ends the matter: 401 asks to log in again, 502 to 504 to try again; 500 is for no one to retry."""
        return self.status not in (401, 502, 503, 504)


@dataclass
class Account:
    """Somebody's login, shared by threads; logs in again when its access token (15 minutes) has expired."""

    url: str
    email: str
    password: str
    _token: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, caller: "Caller", refused: str = "") -> str:
        """An access token; not the one that has been `refused`."""
        with self._lock:
            if not self._token or self._token == refused:
                body = {"email": self.email, "password": self.password}
                answer = caller.until_answered(lambda: caller.call("POST", "/auth/login", body))
                assert answer.status == 200, f"no login for {self.email}: {answer}"
                self._token = answer.document["access_token"]
            return self._token


class Caller:
    """One thread's connection to the platform, kept alive; `retried` counts requests that had to be sent again."""

    def __init__(self, url: str, account: Account | None = None, patience_s: float = 90.0) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._connection: http.client.HTTPConnection | None = None
        self._account = account
        self._patience_s = patience_s
        self.retried: dict[str, int] = {}

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """One request, sent once. Raises `NoAnswer`."""
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

    def once(self, method: str, path: str, body: Any = None) -> Answer:
        """One request as the account, sent once; again only after a login that had expired. Raises `NoAnswer`."""
        assert self._account is not None
        token = self._account.token(self)
        answer = self.call(method, path, body, token)
        if answer.status == 401:
            answer = self.call(method, path, body, self._account.token(self, refused=token))
        return answer

    def sure(self, method: str, path: str, body: Any = None) -> Answer:
        """The same request until it is answered, as an honest client does. Raises `NeverAnswered`."""
        return self.until_answered(lambda: self.once(method, path, body))

    def until_answered(self, send: Callable[[], Answer]) -> Answer:
        """Send until the answer is definite, bounded by the caller's patience."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = send()
                if answer.definite:
                    return answer
                why = answer.code
            except NoAnswer as error:
                why = str(error)
            self.retried[why] = self.retried.get(why, 0) + 1
            if time.monotonic() > deadline:
                raise NeverAnswered(f"no answer within {self._patience_s:.0f} s; the last was {why}")
            time.sleep(RETRY_PAUSE_S)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
