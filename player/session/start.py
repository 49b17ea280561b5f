"""Starting a session, so that a lost answer costs nothing: the same start is asked for again, under the same key."""

import secrets
import time
from dataclasses import dataclass

from player.errors import CliError, StartUnansweredError, UnreachableError
from player.http.client import ProblemError
from player.session.playback_api import Lease, Playback

KEY_BYTES = 24
TOO_MANY_REQUESTS = 429
PAUSES_S = (0.25, 0.5, 1.0, 2.0)
TRY_S = 4.0
# All tries together.
START_S_MAX = 10.0


@dataclass(frozen=True)
class Wish:
    """What the viewer asked for: a stream, and the most whole points that it may cost."""

    stream_id: str
    max_points: int | None = None


def start_session(playback: Playback, wish: Wish, replace: bool = False) -> Lease:
    """Start a session and buy its first lease, once. Takes START_S_MAX at most.

    Raises StartUnansweredError when no try was answered, ProblemError when refused, CliError when not logged in.
    """
    key = secrets.token_urlsafe(KEY_BYTES)
    deadline = time.monotonic() + START_S_MAX
    unanswered: CliError | None = None
    for pause_s in (*PAUSES_S, 0.0):
        timeout_s = max(1.0, min(TRY_S, deadline - time.monotonic()))
        try:
            return playback.start(wish.stream_id, key, timeout_s, replace, wish.max_points)
        except UnreachableError as error:
            unanswered = error
        except CliError as error:
            if unanswered is None or _speaks_of_the_start(error):
                raise
        if time.monotonic() + pause_s + 1.0 > deadline:
            break
        time.sleep(pause_s)
    raise StartUnansweredError(unanswered.message if unanswered else "")


def _speaks_of_the_start(error: CliError) -> bool:
    """Return whether a refusal settles what came of the tries before: "too often" and a lost login do not."""
    return isinstance(error, ProblemError) and error.status not in (401, TOO_MANY_REQUESTS)
