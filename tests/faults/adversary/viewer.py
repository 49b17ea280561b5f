"""A viewer of a strategy: an account, its sessions, and the media that arrived."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Self, TypeVar

from tests.faults.adversary.allowance import NoAllowance, StartAllowance
from tests.faults.adversary.media_client import ENTRY, MediaAnswer, MediaClient
from tests.faults.adversary.received import Received, Segment
from tests.faults.harness.api_client import Account, Answer, ApiClient
from tests.faults.harness.private_stack import Operator

T = TypeVar("T")
CONNECTIONS = 16
# Enough for the whole run at the rate of the streams.
PLENTY_MILLIPOINTS = 100_000_000
AGENT = "adversary"
RETRY_S = 0.4


@dataclass
class Session:
    """A session and its newest lease. `is_over` is set when media was refused for good."""

    session_id: str
    token: str
    seq: int
    document: dict[str, Any]
    beat_at_s: float
    is_over: bool = False

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Return the session of an answer to a start."""
        return cls(document["session_id"], document["play_token"], document["seq"], document, _beat_at_s(document))

    def update(self, document: dict[str, Any]) -> None:
        self.document, self.token, self.seq = document, document["play_token"], document["seq"]
        self.beat_at_s = _beat_at_s(document)

    @property
    def left_s(self) -> float:
        """The seconds until the paid time is over."""
        return self.document["paid_until_ms"] / 1000 - time.time()


def _beat_at_s(document: dict[str, Any]) -> float:
    return time.monotonic() + float(document["next_beat_in_ms"]) / 1000


class Viewer:
    """A client with an account. Each thread that fetches has a connection of its own."""

    def __init__(
        self,
        operator: Operator,
        stream_id: str,
        rng: Random,
        ends_at_s: float,
        *,
        millipoints: int = PLENTY_MILLIPOINTS,
        allowance: StartAllowance | None = None,
    ) -> None:
        self.url, self.stream_id, self.rng = operator.url, stream_id, rng
        self.account, answers = operator.viewer(millipoints)
        self.user_id = answers.user_id
        self.allowance = allowance or NoAllowance()
        self.received = Received()
        self.session_ids: list[str] = []
        self.seen: Counter[str] = Counter()
        # The user agents of the next requests, and what precedes the paths of segments.
        self.agents: Iterator[str] | None = None
        self.path_prefix = ""
        self._operator_account: Account = operator.account
        self._ends_at_s = ends_at_s
        self._local, self._lock = threading.local(), threading.Lock()
        self._clients: list[MediaClient | ApiClient] = []
        self._pool = ThreadPoolExecutor(CONNECTIONS)
        self._renditions: list[str] = []

    def close(self) -> None:
        """Close all connections."""
        self._pool.shutdown()
        for client in self._clients:
            client.close()

    # ---- time ----------------------------------------------------------------------------------------------------

    def is_running(self) -> bool:
        return time.monotonic() < self._ends_at_s

    def left_s(self) -> float:
        """Return the seconds until the end of the run."""
        return max(0.0, self._ends_at_s - time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the run."""
        time.sleep(max(0.0, min(seconds, self.left_s())))

    # ---- the API -------------------------------------------------------------------------------------------------

    def api(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request of the account until it is answered."""
        return self._api_client().send(method, path, body)

    def start(self, **fields: Any) -> Session | None:
        """Start a session as soon as the allowance permits. Return None if it was refused or the run is over."""
        self.sleep(self.allowance.wait_s())
        if not self.is_running():
            return None
        self.allowance.take()
        answer = self.api("POST", "/playback/start", {"stream_id": self.stream_id, **fields})
        self._count("start", answer)
        if answer.status != 201:
            self.sleep(RETRY_S)
            return None
        session = Session.of(answer.document)
        self.session_ids.append(session.session_id)
        return session

    def beat(self, session: Session, seq: int | None = None) -> Answer:
        """Send the next heartbeat, or one with this seq."""
        body = {"session_id": session.session_id, "seq": session.seq + 1 if seq is None else seq}
        return self._playback(session, "heartbeat", body)

    def renew(self, session: Session) -> Answer:
        return self._playback(session, "renew", {"session_id": session.session_id})

    def stop(self, session: Session) -> Answer:
        answer = self.api("POST", "/playback/stop", {"session_id": session.session_id})
        self._count("stop", answer)
        return answer

    def top_up(self, millipoints: int) -> None:
        """Let the operator credit the wallet."""
        body = {"millipoints": millipoints, "payment_id": f"{self.rng.getrandbits(64):x}"}
        with Operator(self.url, self._operator_account) as operator:
            operator.do("POST", f"/wallets/{self.user_id}/credit", body)

    def _playback(self, session: Session, what: str, body: dict[str, Any]) -> Answer:
        answer = self.api("POST", f"/playback/{what}", body)
        self._count(what, answer)
        if answer.status == 200:
            session.update(answer.document)
        return answer

    def _count(self, what: str, answer: Answer) -> None:
        outcome = answer.document.get("outcome", "ok") if answer.status < 300 else answer.code
        with self._lock:
            self.seen[f"{what} {outcome}"] += 1

    # ---- media ---------------------------------------------------------------------------------------------------

    def segments(self, session: Session, rendition: int = -1) -> list[Segment]:
        """Return the segments that the playlist of a rendition (-1: the smallest) names now, none if it is refused."""
        if not self._renditions:
            text = self._playlist(session, "index.m3u8")
            self._renditions = re.findall(r"^([a-z0-9]+)/index\.m3u8$", text, re.MULTILINE)
            if not self._renditions:
                return []
        name = self._renditions[rendition % len(self._renditions)]
        found = ENTRY.findall(self._playlist(session, f"{name}/index.m3u8"))
        return [Segment(f"{name}/{path}", float(duration) * 1000) for duration, path in found]

    def fetch(
        self, session: Session, segment: Segment, share: float = 1.0, ranges: str = "", token: str = ""
    ) -> MediaAnswer:
        """Fetch a segment once: a share of its bytes, or the ranges of a header. Count what arrived."""
        headers = self.headers(token or session.token) | ({"Range": f"bytes={ranges}"} if ranges else {})
        answer = self._client().segment(self.path_of(session, segment), headers, share)
        for first, count in answer.parts:
            self.received.add(session.session_id, segment, first, count, answer.size)
        self._take_status(session, answer)
        return answer

    def each(self, function: Callable[[Segment], T], segments: Sequence[Segment]) -> list[T]:
        """Call a function for segments, up to 16 at a time."""
        return list(self._pool.map(function, segments))

    def fetch_all(self, session: Session, segments: Sequence[Segment], **options: Any) -> list[MediaAnswer]:
        """Fetch segments at once, on up to 16 connections."""
        return self.each(lambda segment: self.fetch(session, segment, **options), segments)

    @contextmanager
    def fetching(self, session: Session, segments: Sequence[Segment]) -> Iterator[None]:
        """Fetch segments while the block runs, and wait for the transfers after it."""
        running = [self._pool.submit(self.fetch, session, segment) for segment in segments]
        yield
        for each in running:
            each.result()

    def _playlist(self, session: Session, path: str) -> str:
        answer = self._client().text(f"/play/{session.session_id}/{path}", self.headers(session.token))
        self._take_status(session, answer)
        return answer.body.decode() if answer.status == 200 else ""

    def _take_status(self, session: Session, answer: MediaAnswer) -> None:
        with self._lock:
            self.seen[f"media {answer.status}"] += 1
        session.is_over = session.is_over or answer.refused_for_good

    def path_of(self, session: Session, segment: Segment) -> str:
        return f"{self.path_prefix}/play/{session.session_id}/{segment.path}"

    def headers(self, token: str) -> dict[str, str]:
        """Return the headers of a media request."""
        with self._lock:
            agent = next(self.agents) if self.agents else AGENT
        return {"Authorization": f"Bearer {token}", "User-Agent": agent}

    def _api_client(self) -> ApiClient:
        client: ApiClient | None = getattr(self._local, "api", None)
        if client is None:
            client = self._local.api = ApiClient(self.url, self.account)
            with self._lock:
                self._clients.append(client)
        return client

    def _client(self) -> MediaClient:
        client: MediaClient | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = MediaClient(self.url)
            with self._lock:
                self._clients.append(client)
        return client
