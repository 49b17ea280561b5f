"""Starting a session. A lost answer costs nothing: retries carry the same idempotency key."""

import secrets
import time
from dataclasses import dataclass

from player.errors import CliError, StartUnansweredError, UnreachableError
from player.http.client import ProblemError
from player.session.playback_api import Lease, PlaybackApi

KEY_BYTES = 24
RETRY_DELAYS_S = (0.25, 0.5, 1.0, 2.0)
ATTEMPT_S_MAX = 4.0
# All attempts together.
START_S_MAX = 10.0
UNAUTHORIZED, TOO_MANY_REQUESTS = 401, 429


@dataclass(frozen=True)
class PlayRequest:
    """What the viewer asked for: a stream, and the whole points that it may cost at most.

    When the points are used up, `wait_s` is how long to wait for more; None: not at all.
    """

    stream_id: str
    max_points: int | None = None
    wait_s: float | None = None


def start_session(api: PlaybackApi, request: PlayRequest, replace: bool = False) -> Lease:
    """Start one session and buy its first lease. Takes START_S_MAX at most.

    Raise StartUnansweredError when no attempt was answered, ProblemError when refused, CliError when not logged in.
    """
    key = secrets.token_urlsafe(KEY_BYTES)
    deadline = time.monotonic() + START_S_MAX
    unanswered: CliError | None = None
    for delay_s in (*RETRY_DELAYS_S, 0.0):
        timeout_s = max(1.0, min(ATTEMPT_S_MAX, deadline - time.monotonic()))
        try:
            return api.start(request.stream_id, key, timeout_s, replace, request.max_points)
        except UnreachableError as error:
            unanswered = error
        except CliError as error:
            if unanswered is None or _settles_the_start(error):
                raise
        if time.monotonic() + delay_s + 1.0 > deadline:
            break
        time.sleep(delay_s)
    raise StartUnansweredError(unanswered.message if unanswered else "")


def _settles_the_start(error: CliError) -> bool:
    """Return whether a refusal shows that no earlier attempt bought a lease. A rate limit or a lost login does not."""
    return isinstance(error, ProblemError) and error.status not in (UNAUTHORIZED, TOO_MANY_REQUESTS)
