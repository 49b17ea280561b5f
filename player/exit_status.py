"""The exit statuses of the command, with their meanings for the help."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit statuses, which scripts rely on. Click uses 2 for usage errors."""

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
    ExitStatus.USAGE: "wrong usage",
    ExitStatus.OUT_OF_POINTS: "out of points: balance_exhausted, debt_open, daily_cap_reached, …",
    ExitStatus.REFUSED: "not logged in, or refused: not live, blocked, stream full, …",
    ExitStatus.UNREACHABLE: "the server could not be reached",
    ExitStatus.NETWORK_LOST: "the network was lost while watching: lease_expired",
    ExitStatus.MPV_FAILED: "mpv is missing or failed",
    ExitStatus.ENDED_BY_OTHERS: "ended by the operator or the stream: kicked, stream_paused, …",
    ExitStatus.HANGUP: "hangup (SIGHUP)",
    ExitStatus.INTERRUPTED: "interrupted (Ctrl-C, SIGINT)",
    ExitStatus.TERMINATED: "terminated (SIGTERM)",
}

# The statuses of every command that sends requests to the server.
REQUEST_MEANINGS: dict[ExitStatus, str] = {
    ExitStatus.USAGE: MEANINGS[ExitStatus.USAGE],
    ExitStatus.REFUSED: "not logged in, or refused",
    ExitStatus.UNREACHABLE: MEANINGS[ExitStatus.UNREACHABLE],
}


def exit_status_help(meanings: dict[ExitStatus, str] = MEANINGS) -> str:
    r"""Return the table of exit statuses for `--help`. After `\b`, click keeps the lines as they are."""
    rows = [f"{status.value:>5}  {meaning}" for status, meaning in meanings.items()]
    return "\b\nExit status:\n" + "\n".join(rows)
