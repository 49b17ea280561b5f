"""Strategies that keep a session and try to pay less for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.adversary.loops import WITHIN_THE_LEASE_S, fetch_ahead, missing
from tests.faults.adversary.viewer import CONNECTIONS, Session, Viewer
from tests.faults.harness.api_client import ApiClient

# Just after the grace of 5 s: a heartbeat within it pays for the time since the lease's end, one after it does not.
AFTER_GRACE_S = 5.1
PAUSE_S = 15.0
SMALL_TOP_UP_MILLIPOINTS = 3_000
EVERY_S = 0.5
JOIN_S = 60.0


def renew_only(viewer: Viewer) -> None:
    """Renew the play token every half second, never beat, and fetch as fast as possible."""
    while viewer.is_running():
        if session := viewer.start():
            with _meanwhile(viewer, session, "renew"):
                fetch_ahead(viewer, session)


def replayed_beats(viewer: Viewer) -> None:
    """Send the heartbeat of the start again every half second, and fetch as fast as possible."""
    while viewer.is_running():
        if session := viewer.start():
            with _meanwhile(viewer, session, "heartbeat"):
                fetch_ahead(viewer, session)


def seek_over_the_window(viewer: Viewer) -> None:
    """Pay for each lease, and fetch every segment of the window, oldest first, as fast as possible."""
    while viewer.is_running():
        if session := viewer.start():
            fetch_ahead(viewer, session, 60.0, beats=True, oldest_first=True)
            viewer.stop(session)


def beat_after_the_grace(viewer: Viewer) -> None:
    """Fetch until it is refused, and beat just after the grace, when the gap costs nothing."""
    _resume_late(viewer, AFTER_GRACE_S)


def pause_and_resume(viewer: Viewer) -> None:
    """Fetch until it is refused, pause, and resume with a late heartbeat."""
    _resume_late(viewer, PAUSE_S)


def _resume_late(viewer: Viewer, after_s: float) -> None:
    while viewer.is_running():
        session = viewer.start()
        while session and viewer.is_running():
            fetch_ahead(viewer, session)
            viewer.sleep(session.left_s + after_s)
            session.is_over = viewer.beat(session).status != 200
            if session.is_over:
                break
        if session:
            viewer.stop(session)


def two_sessions(viewer: Viewer) -> None:
    """Keep two sessions at once, each for every second segment, and leave both."""
    while viewer.is_running():
        pair = [session for session in (viewer.start(), viewer.start()) if session]
        while viewer.is_running() and pair and not all(session.is_over for session in pair):
            for turn, session in enumerate(pair):
                wanted = [each for number, each in enumerate(missing(viewer, session)) if number % 2 == turn]
                viewer.fetch_all(session, wanted[-CONNECTIONS:])
            viewer.sleep(EVERY_S)


def empty_wallet(viewer: Viewer) -> None:
    """Pay in for three seconds at a time, fetch until it is refused, and leave the debt."""
    while viewer.is_running():
        viewer.top_up(SMALL_TOP_UP_MILLIPOINTS)
        if session := viewer.start():
            fetch_ahead(viewer, session, beats=True)
            # The heartbeat finds the empty wallet and ends the session.
            viewer.beat(session)
        else:
            viewer.sleep(EVERY_S)


def lower_the_cap(viewer: Viewer) -> None:
    """Fetch ahead, and lower the daily cap to nothing before the end."""
    while viewer.is_running():
        viewer.api("PUT", "/me/wallet/cap", {"daily_cap_millipoints": None})
        if session := viewer.start():
            fetch_ahead(viewer, session, WITHIN_THE_LEASE_S)
            viewer.api("PUT", "/me/wallet/cap", {"daily_cap_millipoints": 0})
            viewer.stop(session)


@contextmanager
def _meanwhile(viewer: Viewer, session: Session, what: str) -> Iterator[None]:
    """Renew, or send the first heartbeat again, in a thread of its own while the block runs."""
    over = threading.Event()
    body = {"session_id": session.session_id} | ({"seq": 1} if what == "heartbeat" else {})

    def send() -> None:
        with ApiClient(viewer.url, viewer.account) as client:
            while not over.wait(EVERY_S):
                answer = client.send("POST", f"/playback/{what}", body)
                if answer.status == 200:
                    session.token = answer.document["play_token"]

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(JOIN_S)
