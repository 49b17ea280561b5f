"""Strategies that start sessions again and again, and what they have in common."""

import time
from collections.abc import Sequence
from typing import Any

from tests.faults.adversary.received import Segment
from tests.faults.adversary.viewer import CONNECTIONS, RETRY_S, Session, Viewer

# As long as the first lease, less the time of a request.
WITHIN_THE_LEASE_S = 9.0
FOREVER_S = 1e9


def missing(viewer: Viewer, session: Session) -> list[Segment]:
    """Return the segments of the window of which the session received nothing, oldest first."""
    return [each for each in viewer.segments(session) if not viewer.received.has(session.session_id, each)]


def fetch_ahead(
    viewer: Viewer,
    session: Session,
    seconds: float = FOREVER_S,
    *,
    beats: bool = False,
    oldest_first: bool = False,
    **options: Any,
) -> None:
    """Fetch as fast as possible for so long, or until the session is refused for good."""
    until_s = time.monotonic() + seconds
    while viewer.is_running() and not session.is_over and time.monotonic() < until_s:
        if beats and time.monotonic() > session.beat_at_s:
            viewer.beat(session)
        wanted = missing(viewer, session)
        batch: Sequence[Segment] = wanted[:CONNECTIONS] if oldest_first else wanted[-CONNECTIONS:]
        answers = viewer.fetch_all(session, batch, **options)
        if not any(each.served for each in answers):
            wait_s = max((each.retry_after_s for each in answers), default=0.0)
            time.sleep(max(0.0, min(wait_s or RETRY_S, until_s - time.monotonic())))


def start_and_stop(viewer: Viewer, hold_s: float, newest: int = CONNECTIONS) -> None:
    """Start, ask for the newest segments at once, and stop after `hold_s`, whatever has arrived by then."""
    while viewer.is_running():
        if session := viewer.start():
            with viewer.fetching(session, viewer.segments(session)[-newest:]):
                viewer.sleep(hold_s)
                viewer.stop(session)


def fetch_and_stop(viewer: Viewer) -> None:
    """Start, fetch as fast as possible to just before the end of the first lease, and stop."""
    while viewer.is_running():
        if session := viewer.start():
            fetch_ahead(viewer, session, WITHIN_THE_LEASE_S)
            viewer.stop(session)


def fetch_and_lapse(viewer: Viewer, **options: Any) -> None:
    """Start, fetch as fast as possible until it is refused, and leave the session."""
    while viewer.is_running():
        if session := viewer.start():
            fetch_ahead(viewer, session, **options)


def never_beat(viewer: Viewer) -> None:
    """Watch at the live edge without a heartbeat until it is refused, and leave the session."""
    while viewer.is_running():
        if session := viewer.start():
            for segment in viewer.segments(session)[session.document["live_start_index"] :]:
                viewer.fetch(session, segment)
            while viewer.is_running() and not session.is_over:
                for segment in viewer.segments(session)[-2:]:
                    if not viewer.received.has(session.session_id, segment):
                        viewer.fetch(session, segment)
                viewer.sleep(RETRY_S)


def replace_in_a_loop(viewer: Viewer, hold_s: float = 1.0) -> None:
    """Start with `replace` and never stop, so that each start ends the oldest session."""
    running: list[Session] = []
    while viewer.is_running():
        if session := viewer.start(replace=True):
            running.append(session)
            with viewer.fetching(session, viewer.segments(session)[-CONNECTIONS:]):
                viewer.sleep(hold_s)
    for session in running[-CONNECTIONS:]:
        viewer.stop(session)


def tiny_max_points(viewer: Viewer) -> None:
    """Start with a maximum of one point, which is a second, and fetch until it is refused."""
    while viewer.is_running():
        if session := viewer.start(max_points=1):
            fetch_ahead(viewer, session)
            # A heartbeat ends the session by its maximum, and frees its place.
            viewer.beat(session)


def old_token(viewer: Viewer) -> None:
    """Fetch for a second, stop, and go on with the old token."""
    while viewer.is_running():
        if session := viewer.start():
            fetch_ahead(viewer, session, 1.0)
            wanted = missing(viewer, session)[-CONNECTIONS:]
            viewer.stop(session)
            until_s = time.monotonic() + 3.0
            while time.monotonic() < until_s:
                viewer.fetch_all(session, wanted)
                viewer.sleep(RETRY_S)


def log_out(viewer: Viewer) -> None:
    """Log out everywhere, which ends all sessions, while 16 transfers run."""
    while viewer.is_running():
        if session := viewer.start():
            with viewer.fetching(session, viewer.segments(session)[-CONNECTIONS:]):
                viewer.sleep(0.5)
                viewer.api("POST", "/auth/logout-everywhere")


def parallel(viewer: Viewer) -> None:
    """Start, wait until 16 requests at once are answered, and stop."""
    while viewer.is_running():
        if session := viewer.start():
            viewer.fetch_all(session, viewer.segments(session)[-CONNECTIONS:])
            viewer.stop(session)
