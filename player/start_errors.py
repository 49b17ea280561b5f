"""Why a stream could not be started, and what the viewer can do about it."""

import time
from typing import Any

from player.errors import CliError
from player.formats import clock, printable
from player.http import ProblemError
from player.outcome import ExitStatus

_ADVICE: dict[str, tuple[str, str]] = {
    "stream_not_live": ("The stream {stream_id} is not live now", "See what is on: player streams"),
    "stream_not_found": ("There is no stream {stream_id}", "See what is on: player streams"),
}


def start_error(problem: ProblemError, stream_id: str) -> CliError:
    """Return the error that a refused start ends `play` with."""
    if problem.code == "balance_exhausted":
        error = CliError(
            "You have no points left (balance_exhausted).",
            f"Ask the operator for points, then: player play {stream_id}",
            ExitStatus.OUT_OF_POINTS,
        )
        error.end_reason = "balance_exhausted"
        return error
    if problem.code == "session_limit":
        return _session_limit(problem, stream_id)
    if problem.code in _ADVICE:
        message, advice = _ADVICE[problem.code]
        return CliError(f"{message.format(stream_id=stream_id)} ({problem.code}).", advice, ExitStatus.REFUSED)
    return problem


def _session_limit(problem: ProblemError, stream_id: str) -> CliError:
    sessions = problem.fields.get("sessions") or []
    watching = "".join(f"\n  {_session(session)}" for session in sessions if isinstance(session, dict))
    return CliError(
        f"You watch on as many screens as you may (session_limit):{watching}",
        f"Stop one of them, or end the oldest: player play {stream_id} --replace",
        ExitStatus.REFUSED,
    )


def _session(session: dict[str, Any]) -> str:
    since = session.get("started_at_ms")
    ago = f", started {clock(time.time() - since / 1000)} ago" if since else ""
    return f"{printable(str(session.get('stream_id', '')))} (session {printable(str(session.get('session_id')))}{ago})"
