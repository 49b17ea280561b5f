"""How watching can end, and the exit status of each way. One table, used by `play`, by every error and by the help."""

from dataclasses import dataclass
from enum import IntEnum


class ExitStatus(IntEnum):
    """What scripts can rely on. 2 is click's own."""

    OK = 0
    FAILED = 1
    USAGE = 2
    OUT_OF_POINTS = 3
    REFUSED = 4
    UNREACHABLE = 5
    NETWORK_LOST = 6
    MPV_FAILED = 7
    ENDED_BY_OTHERS = 8
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[ExitStatus, str] = {
    ExitStatus.OK: "the stream ended, or you stopped watching",
    ExitStatus.FAILED: "something on this machine failed, such as a full disk",
    ExitStatus.USAGE: "the command was called in a wrong way",
    ExitStatus.OUT_OF_POINTS: "out of points: balance_exhausted, max_points_reached, daily_cap_reached",
    ExitStatus.REFUSED: "not logged in, or refused: not live, too many screens, stream full",
    ExitStatus.UNREACHABLE: "the server could not be reached",
    ExitStatus.NETWORK_LOST: "the network was lost while watching: lease_expired",
    ExitStatus.MPV_FAILED: "mpv is missing or failed",
    ExitStatus.ENDED_BY_OTHERS: "ended by the operator or the stream: kicked, stream_paused, …",
    ExitStatus.HANGUP: "hangup (SIGHUP)",
    ExitStatus.INTERRUPTED: "interrupted (Ctrl-C, SIGINT)",
    ExitStatus.TERMINATED: "terminated (SIGTERM)",
}

# What every command that asks the server may end with.
ASKING: dict[ExitStatus, str] = {
    ExitStatus.USAGE: MEANINGS[ExitStatus.USAGE],
    ExitStatus.REFUSED: "not logged in, or refused",
    ExitStatus.UNREACHABLE: MEANINGS[ExitStatus.UNREACHABLE],
}

_REASONS: dict[str, tuple[ExitStatus, str]] = {
    "viewer_stopped": (ExitStatus.OK, "You stopped watching."),
    "balance_exhausted": (ExitStatus.OUT_OF_POINTS, "Your points are used up."),
    "max_points_reached": (ExitStatus.OUT_OF_POINTS, "The most that you wanted to spend is spent."),
    "daily_cap_reached": (ExitStatus.OUT_OF_POINTS, "Your daily cap is reached."),
    "kicked": (ExitStatus.ENDED_BY_OTHERS, "An operator ended this session."),
    "superseded": (ExitStatus.ENDED_BY_OTHERS, "A newer session of yours took the place of this one."),
    "stream_paused": (ExitStatus.ENDED_BY_OTHERS, "The operator paused the stream."),
    "stream_stopped": (ExitStatus.ENDED_BY_OTHERS, "The operator stopped the stream."),
    "lease_expired": (ExitStatus.NETWORK_LOST, "The server could not be reached until the paid time was over."),
}

# The reasons for which a start is refused because there is nothing to pay with.
NOTHING_LEFT = ("balance_exhausted", "daily_cap_reached")


@dataclass(frozen=True)
class Ending:
    """How one viewing ended: the machine word, the exit status, and a sentence for people."""

    end_reason: str
    exit_status: ExitStatus
    sentence: str

    @classmethod
    def of_reason(cls, end_reason: str) -> "Ending":
        """Return the ending for a server's end reason. An unknown (newer) word counts as ended by others."""
        unknown = (ExitStatus.ENDED_BY_OTHERS, "The server ended this session.")
        status, sentence = _REASONS.get(end_reason, unknown)
        return cls(end_reason, status, sentence)


STREAM_ENDED = Ending("viewer_stopped", ExitStatus.OK, "The stream came to its end.")
NETWORK_LOST = Ending.of_reason("lease_expired")
MOVED = Ending(
    "viewer_stopped",
    ExitStatus.ENDED_BY_OTHERS,
    "This stream ties each session to one address and program. Yours changed, or somebody else was there first, before"
    " its first lease was over. To watch on, start it again.",
)
START_UNANSWERED = Ending(
    "lease_expired",
    ExitStatus.NETWORK_LOST,
    "The connection was lost while a new session was started. A lease may have been bought; it runs out by itself.",
)
BROKEN = Ending("viewer_stopped", ExitStatus.FAILED, "The player failed.")

SIGNALLED: dict[str, Ending] = {
    "SIGHUP": Ending("viewer_stopped", ExitStatus.HANGUP, "Stopped: the terminal was closed."),
    "SIGINT": Ending("viewer_stopped", ExitStatus.INTERRUPTED, "Stopped by Ctrl-C."),
    "SIGTERM": Ending("viewer_stopped", ExitStatus.TERMINATED, "Stopped by a signal (SIGTERM)."),
}


def media_lost(trouble: str) -> Ending:
    """Return the ending for media that fail for too long. `trouble` names the address and the reason."""
    at = f": {trouble}" if trouble else ""
    return Ending("viewer_stopped", ExitStatus.NETWORK_LOST, f"The server sent no picture any more{at}.")


def media_unreachable(trouble: str) -> Ending:
    """Return the ending for media that could never be reached. `trouble` names each address with the reason."""
    return Ending("viewer_stopped", ExitStatus.UNREACHABLE, f"The picture cannot be reached: {trouble}.")


def mpv_failed(sentence: str) -> Ending:
    """Return the ending for an mpv that did not do its work."""
    return Ending("viewer_stopped", ExitStatus.MPV_FAILED, sentence)


def refused(sentence: str) -> Ending:
    """Return the ending for a server that refuses to go on without naming an end reason."""
    return Ending("viewer_stopped", ExitStatus.REFUSED, sentence)


def exit_status_help(meanings: dict[ExitStatus, str] = MEANINGS) -> str:
    r"""Return the table of exit statuses for `--help` (click keeps its lines as they are after `\b`)."""
    rows = [f"{status.value:>5}  {meaning}" for status, meaning in meanings.items()]
    return "\b\nExit status:\n" + "\n".join(rows)
