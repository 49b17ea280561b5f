"""Polls a stream like a player, through the gateway, and notes everything that a player must never get."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.seat import Seat
from tests.fixtures.continuity import Continuity, Named

POLL_S = 0.4
# A player asks again as well.
TRIES = 2
TRY_PAUSE_S = 0.5
# How often everything that is named is looked for again, not only what is new.
LISTED_EVERY_S = 10.0
SYNC_BYTE = 0x47
JOIN_S = 30.0


@dataclass(frozen=True)
class Arrival:
    """A number that a viewer could play from then on, by the monotonic clock."""

    at_s: float
    named: Named


class Follower:
    """Polls while it is entered. Every named object is looked for in the bucket, and one rendition's is fetched."""

    def __init__(self, seat: Seat, s3: Any, bucket: str, stream_id: str) -> None:
        self.rules = Continuity(undisturbed=True)
        self.arrivals: list[Arrival] = []
        self.polls = self.fetched = self.looked_for = 0
        self._seat, self._s3, self._bucket, self._prefix = seat, s3, bucket, f"streams/{stream_id}/"
        self._http = httpx.Client(base_url=seat.url, timeout=20)
        self._over = threading.Event()
        self._news = threading.Condition()
        self._listed_at_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(JOIN_S)
        self._http.close()

    @property
    def problems(self) -> list[str]:
        """All that was wrong so far."""
        return [*self.rules.problems, *self._seat.problems]

    @property
    def run(self) -> str:
        """The run of the newest segment; empty while there is none."""
        return self.arrivals[-1].named.run if self.arrivals else ""

    def wait_for_new(self, since_s: float, timeout_s: float, not_of: str = "") -> Arrival | None:
        """The first arrival after that moment, of another run than `not_of`; None if none comes in time."""

        def found() -> Arrival | None:
            later = (a for a in reversed(self.arrivals) if a.at_s > since_s and a.named.run != not_of)
            return min(later, key=lambda arrival: arrival.at_s, default=None)

        with self._news:
            return self._news.wait_for(found, timeout_s)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self._poll()
                self._over.wait(POLL_S)
        except Exception as error:
            self.rules.problem(f"the follower broke: {type(error).__name__}: {error}")

    def _poll(self) -> None:
        root = self._get("index.m3u8")
        self.polls += 1
        for rendition in self.rules.ladder(root) if root else []:
            asked_s, body = time.monotonic(), self._get(f"{rendition}/index.m3u8")
            if body:
                self._take(self.rules.read(rendition, body, asked_s))
        if time.monotonic() - self._listed_at_s > LISTED_EVERY_S:
            self._look_for_all()
            self._listed_at_s = time.monotonic()

    def _take(self, new: list[Named]) -> None:
        known = self.arrivals[-1].named.number if self.arrivals else -1
        first_reading = not self.arrivals
        with self._news:
            self.arrivals += [Arrival(time.monotonic(), named) for named in new if named.number > known]
            self._news.notify_all()
        for named in new:
            self._look_for(named)
        # The gateway lets a viewer have two segments a second: one rendition of each number, in turn.
        renditions = sorted(self.rules.seen)
        for named in new[-3:] if first_reading else new:
            if renditions[named.number % len(renditions)] == named.rendition:
                self._fetch(named)

    def _look_for(self, named: Named) -> None:
        key = f"{self._prefix}{named.rendition}/{named.uri}"
        self.looked_for += 1
        if key not in self._keys(key):
            self.rules.problem(f"{named.rendition} #{named.number}: names {named.uri}, which is not there")

    def _look_for_all(self) -> None:
        for rendition, seen in self.rules.seen.items():
            there = self._keys(f"{self._prefix}{rendition}/")
            for number, (uri, _) in seen.items():
                if number >= self.rules.first[rendition] and f"{self._prefix}{rendition}/{uri}" not in there:
                    self.rules.problem(f"{rendition} #{number}: {uri} is gone while it is named")

    def _keys(self, prefix: str) -> set[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def _fetch(self, named: Named) -> None:
        body = self._get(f"{named.rendition}/{named.uri}", {"Range": "bytes=0-187"})
        self.fetched += 1
        if body is not None and (len(body) != 188 or body[0] != SYNC_BYTE):
            self.rules.problem(f"{named.uri} is no transport stream")

    def _get(self, media: str, headers: dict[str, str] | None = None) -> bytes | None:
        """A file through the gateway; that it cannot be had is noted."""
        said = ""
        for attempt in range(TRIES):
            if attempt:
                self._over.wait(TRY_PAUSE_S)
            try:
                answer = self._http.get(self._seat.path(media), headers={**self._seat.headers, **(headers or {})})
            except httpx.HTTPError as error:
                said = type(error).__name__
                continue
            if answer.status_code in (200, 206):
                return answer.content
            said = f"{answer.status_code} {answer.text[:200]}"
        if not self._over.is_set():
            self.rules.problem(f"{media} could not be had: {said}")
        return None
