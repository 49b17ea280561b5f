"""The ways in which watching ends: an end reason, an exit status and a sentence for each."""

from dataclasses import dataclass, replace

from player.exit_status import ExitStatus

_REASONS: dict[str, tuple[ExitStatus, str]] = {
    "viewer_stopped": (ExitStatus.OK, "You stopped watching."),
    "balance_exhausted": (ExitStatus.OUT_OF_POINTS, "Your points are used up."),
    "debt_open": (ExitStatus.OUT_OF_POINTS, "Points are open from earlier viewing; they are paid first."),
    "max_points_reached": (ExitStatus.OUT_OF_POINTS, "The most that you wanted to spend is spent."),
    "daily_cap_reached": (ExitStatus.OUT_OF_POINTS, "Your daily cap is reached."),
    "kicked": (ExitStatus.ENDED_BY_OTHERS, "An operator ended this session."),
    "superseded": (ExitStatus.ENDED_BY_OTHERS, "A newer session of yours took the place of this one."),
    "stream_paused": (ExitStatus.ENDED_BY_OTHERS, "The operator paused the stream."),
    "stream_stopped": (ExitStatus.ENDED_BY_OTHERS, "The operator stopped the stream."),
    "lease_expired": (ExitStatus.NETWORK_LOST, "The server could not be reached until the paid time was over."),
}

# The codes of a start that is refused for lack of points.
NOTHING_LEFT = ("balance_exhausted", "debt_open", "daily_cap_reached")


@dataclass(frozen=True)
class Ending:
    """How a `play` ended: the end reason (None if it was not started), the exit status, a sentence for people.

    `message` is an operator's to the viewer, empty without one.
    """

    end_reason: str | None
    exit_status: ExitStatus
    sentence: str
    message: str = ""

    @classmethod
    def of_reason(cls, end_reason: str, message: str = "") -> "Ending":
        """Return the ending for an end reason of the server. An unknown (newer) one counts as ended by others."""
        unknown = (ExitStatus.ENDED_BY_OTHERS, "The server ended this session.")
        status, sentence = _REASONS.get(end_reason, unknown)
        return cls(end_reason, status, sentence, message)


STREAM_ENDED = Ending("viewer_stopped", ExitStatus.OK, "The stream ended.")
NETWORK_LOST = Ending.of_reason("lease_expired")
MOVED = Ending(
    "viewer_stopped",
    ExitStatus.ENDED_BY_OTHERS,
    "This stream binds each session to one address and program. During the first lease yours changed, or somebody else"
    " used the session. To go on, start it again.",
)
START_UNANSWERED = Ending(
    "lease_expired",
    ExitStatus.NETWORK_LOST,
    "The connection was lost while a new session was started. A lease may have been bought; it expires by itself.",
)
BROKEN = Ending("viewer_stopped", ExitStatus.FAILED, "The player failed.")

SIGNALLED: dict[str, Ending] = {
    "SIGHUP": Ending("viewer_stopped", ExitStatus.HANGUP, "Stopped: the terminal was closed."),
    "SIGINT": Ending("viewer_stopped", ExitStatus.INTERRUPTED, "Stopped by Ctrl-C."),
    "SIGTERM": Ending("viewer_stopped", ExitStatus.TERMINATED, "Stopped by a signal (SIGTERM)."),
}


def media_lost(trouble: str) -> Ending:
    """Return the ending for media that failed for too long. `trouble` names the address and the reason."""
    at = f": {trouble}" if trouble else ""
    return Ending("viewer_stopped", ExitStatus.NETWORK_LOST, f"The server stopped sending the picture{at}.")


def media_unreachable(trouble: str) -> Ending:
    """Return the ending for media that were never reached. `trouble` names each address with the reason."""
    return Ending(
        "viewer_stopped", ExitStatus.UNREACHABLE, f"The picture cannot be reached: {trouble.removesuffix('.')}."
    )


def mpv_failed(sentence: str) -> Ending:
    """Return the ending for an mpv that failed."""
    return Ending("viewer_stopped", ExitStatus.MPV_FAILED, sentence)


def refused(sentence: str) -> Ending:
    """Return the ending for a refusal without an end reason."""
    return Ending("viewer_stopped", ExitStatus.REFUSED, sentence)


def without_wait(ending: Ending) -> Ending:
    """Return the ending of a play that was to wait for points, with the reason why it did not wait."""
    if ending.end_reason not in ("daily_cap_reached", "max_points_reached"):
        return ending
    return replace(ending, sentence=f"{ending.sentence} More points do not change that, so there is no wait.")
