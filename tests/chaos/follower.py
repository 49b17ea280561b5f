"""Polls a stream through the gateway like a player, and records all violations in its playlists."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.viewer_session import ViewerSession
from tests.fixtures.continuity import Continuity, NamedSegment

POLL_S = 0.4
# Players retry, too.
TRIES = 2
TRY_PAUSE_S = 0.5
# The interval between checks of all named objects, not only of new ones.
LISTED_EVERY_S = 10.0
SYNC_BYTE = 0x47
JOIN_S = 30.0


@dataclass(frozen=True)
class Arrival:
    """A new segment, with the monotonic time from which viewers can play it."""

    at_s: float
    named: NamedSegment


class Follower:
    """A context manager that polls. It checks that named objects exist, and fetches one rendition of each number."""

    def __init__(self, session: ViewerSession, s3: Any, bucket: str, stream_id: str) -> None:
        self.rules = Continuity(undisturbed=True)
        self.arrivals: list[Arrival] = []
        self.polls = self.fetched = self.checked = 0
        self._session, self._s3, self._bucket, self._prefix = session, s3, bucket, f"streams/{stream_id}/"
        self._http = httpx.Client(base_url=session.url, timeout=20)
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._listed_at_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(JOIN_S)
        self._http.close()

    @property
    def problems(self) -> list[str]:
        """Return the violations so far."""
        return [*self.rules.problems, *self._session.problems]

    @property
    def run(self) -> str:
        """Return the run of the newest segment, or an empty string."""
        return self.arrivals[-1].named.run if self.arrivals else ""

    def wait_for_new(self, since_s: float, timeout_s: float, not_of: str = "") -> Arrival | None:
        """Wait for the first arrival after `since_s` whose run is not `not_of`. Returns None after `timeout_s`."""

        def found() -> Arrival | None:
            later = (a for a in reversed(self.arrivals) if a.at_s > since_s and a.named.run != not_of)
            return min(later, key=lambda arrival: arrival.at_s, default=None)

        with self._changed:
            return self._changed.wait_for(found, timeout_s)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._poll()
                self._stopped.wait(POLL_S)
        except Exception as error:
            self.rules.problem(f"the follower broke: {type(error).__name__}: {error}")

    def _poll(self) -> None:
        multivariant = self._get("index.m3u8")
        self.polls += 1
        for rendition in self.rules.ladder(multivariant) if multivariant else []:
            asked_s, body = time.monotonic(), self._get(f"{rendition}/index.m3u8")
            if body:
                self._take(self.rules.read(rendition, body, asked_s))
        if time.monotonic() - self._listed_at_s > LISTED_EVERY_S:
            self._check_all_objects()
            self._listed_at_s = time.monotonic()

    def _take(self, new: list[NamedSegment]) -> None:
        known = self.arrivals[-1].named.number if self.arrivals else -1
        first_reading = not self.arrivals
        with self._changed:
            self.arrivals += [Arrival(time.monotonic(), named) for named in new if named.number > known]
            self._changed.notify_all()
        for named in new:
            self._check_object(named)
        # The gateway serves a viewer two segments a second, so one rendition of each number is fetched, in turn.
        renditions = sorted(self.rules.seen)
        for named in new[-3:] if first_reading else new:
            if renditions[named.number % len(renditions)] == named.rendition:
                self._fetch(named)

    def _check_object(self, named: NamedSegment) -> None:
        key = f"{self._prefix}{named.rendition}/{named.uri}"
        self.checked += 1
        if key not in self._keys(key):
            self.rules.problem(f"{named.rendition} #{named.number}: names {named.uri}, which does not exist")

    def _check_all_objects(self) -> None:
        for rendition, seen in self.rules.seen.items():
            keys = self._keys(f"{self._prefix}{rendition}/")
            for number, (uri, _) in seen.items():
                if number >= self.rules.first[rendition] and f"{self._prefix}{rendition}/{uri}" not in keys:
                    self.rules.problem(f"{rendition} #{number}: {uri} was deleted while it was named")

    def _keys(self, prefix: str) -> set[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def _fetch(self, named: NamedSegment) -> None:
        body = self._get(f"{named.rendition}/{named.uri}", {"Range": "bytes=0-187"})
        self.fetched += 1
        if body is not None and (len(body) != 188 or body[0] != SYNC_BYTE):
            self.rules.problem(f"{named.uri} is no transport stream")

    def _get(self, media: str, headers: dict[str, str] | None = None) -> bytes | None:
        """Fetch a file through the gateway. A failure is a violation."""
        error_text = ""
        for attempt in range(TRIES):
            if attempt:
                self._stopped.wait(TRY_PAUSE_S)
            try:
                answer = self._http.get(self._session.path(media), headers={**self._session.headers, **(headers or {})})
            except httpx.HTTPError as error:
                error_text = type(error).__name__
                continue
            if answer.status_code in (200, 206):
                return answer.content
            error_text = f"{answer.status_code} {answer.text[:200]}"
        if not self._stopped.is_set():
            self.rules.problem(f"{media} could not be fetched: {error_text}")
        return None
