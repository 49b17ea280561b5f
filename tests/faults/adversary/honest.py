"""A client that fetches as mpv does, and pays for each lease: it plays, pauses, seeks back and stops at random moments.

Like mpv behind the player's relay it begins at `live_start_index`, fetches one segment after the other as soon as the
playlist names it, and neither fetches nor beats during a pause.
"""

import threading
import time
from typing import Self

from tests.faults.adversary.received import Segment
from tests.faults.adversary.viewer import Session, Viewer

# How often mpv looks at the playlist again, and how long until it repeats a refused request.
RELOAD_S, REFUSED_S = 0.5, 1.0
SHORT_S = (1.0, 8.0)
PLAYS_S, PAUSES_S, BETWEEN_S = (8.0, 45.0), (3.0, 40.0), (0.5, 4.0)
SEEK_BACK_S = 30.0
# A session has some of these between its parts, then it ends.
ACTIONS = ("pause", "seek", "stop", "play")


def watch(viewer: Viewer) -> None:
    """Watch session after session until the end of the run."""
    while viewer.is_running():
        if session := viewer.start():
            with _Heart(viewer, session) as heart:
                _Playing(viewer, session, heart).run()
            viewer.stop(session)
            viewer.sleep(viewer.rng.uniform(*BETWEEN_S))


def look_through(viewer: Viewer) -> None:
    """Watch a few seconds at a time, as a viewer who looks through many streams."""
    while viewer.is_running():
        if session := viewer.start():
            with _Heart(viewer, session) as heart:
                _Playing(viewer, session, heart).play(viewer.rng.uniform(*SHORT_S))
            viewer.stop(session)
            viewer.sleep(viewer.rng.uniform(*BETWEEN_S))


class _Heart:
    """A context manager that sends the heartbeats of a session in a thread of its own, as the player does."""

    def __init__(self, viewer: Viewer, session: Session) -> None:
        self.is_paused = False
        self._viewer, self._session = viewer, session
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def resume(self) -> None:
        """Beat at once after a pause."""
        self._beat()
        self.is_paused = False

    def _run(self) -> None:
        while not self._over.wait(0.05) and not self._session.is_over:
            if not self.is_paused and time.monotonic() >= self._session.beat_at_s:
                self._beat()

    def _beat(self) -> None:
        with self._lock:
            if not self._session.is_over:
                self._session.is_over = self._viewer.beat(self._session).status != 200


class _Playing:
    """The picture of one session. `_fetched` are the segments from the oldest to the newest one."""

    def __init__(self, viewer: Viewer, session: Session, heart: _Heart) -> None:
        self._viewer, self._session, self._heart = viewer, session, heart
        self._fetched: list[Segment] = []
        self._again: list[Segment] = []
        self._reload_at_s = 0.0

    def run(self) -> None:
        """Play to a random end."""
        action = "play"
        while action != "stop" and self._viewer.is_running() and not self._session.is_over:
            self.play(self._viewer.rng.uniform(*PLAYS_S))
            action = self._viewer.rng.choice(ACTIONS)
            if action == "pause":
                self._heart.is_paused = True
                self._viewer.sleep(self._viewer.rng.uniform(*PAUSES_S))
                self._heart.resume()
            elif action == "seek":
                self._seek_back()

    def play(self, seconds: float) -> None:
        """Play for so long."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and self._viewer.is_running() and not self._session.is_over:
            if not self._fetch_next():
                self._viewer.sleep(0.1)

    def _fetch_next(self) -> bool:
        """Fetch the next segment. Return False if there is none yet."""
        if not self._again and time.monotonic() >= self._reload_at_s:
            self._reload_at_s = time.monotonic() + RELOAD_S
            named = self._viewer.segments(self._session)
            if not self._fetched:
                self._again = named[self._session.document["live_start_index"] :]
            else:
                names = [each.name for each in named]
                newest = self._fetched[-1].name
                self._again = named[names.index(newest) + 1 :] if newest in names else named[-3:]
        if not self._again:
            return False
        segment = self._again[0]
        answer = self._viewer.fetch(self._session, segment)
        if answer.served:
            self._again.pop(0)
            if segment not in self._fetched:
                self._fetched.append(segment)
        elif answer.status == 404:
            self._again.pop(0)
        else:
            self._viewer.sleep(answer.retry_after_s or REFUSED_S)
        return True

    def _seek_back(self) -> None:
        """Fetch the last 30 s again, as a player without a buffer of the past does."""
        back, ms = [], 0.0
        for segment in reversed(self._fetched):
            if ms >= SEEK_BACK_S * 1000:
                break
            back.insert(0, segment)
            ms += segment.duration_ms
        self._again = [*back, *self._again]
