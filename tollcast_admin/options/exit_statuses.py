"""The exit statuses of all commands, which are those of `player`."""

from player.exit_status import MEANINGS, REQUEST_MEANINGS, ExitStatus, exit_status_help

STATUSES = exit_status_help(
    {
        ExitStatus.OK: "done",
        ExitStatus.FAILED: "not confirmed, or something on this machine failed",
        **REQUEST_MEANINGS,
        ExitStatus.INTERRUPTED: MEANINGS[ExitStatus.INTERRUPTED],
    }
)
