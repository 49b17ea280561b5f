"""The errors of a refused start: the reason, and what the viewer can do."""

import time
from typing import Any

from player.endings import Ending
from player.errors import CliError
from player.exit_status import ExitStatus
from player.http.client import ProblemError
from player.terminal.formats import clock, points
from player.terminal.text import printable

_WATCH = "then: player play {stream_id}"
_NOTHING_LEFT: dict[str, tuple[str, str]] = {
    "balance_exhausted": ("You have no points left", f"Ask the operator for points, {_WATCH}"),
    "daily_cap_reached": (
        "Your daily cap is spent",
        f"It resets at 00:00 UTC. To watch now, raise the cap (see: player wallet), {_WATCH}",
    ),
}
_ADVICE: dict[str, tuple[str, str]] = {
    "stream_not_live": ("The stream {stream_id} is not live now", "See what is on: player streams"),
    "stream_not_found": ("There is no stream {stream_id}", "See what is on: player streams"),
    "idempotency_mismatch": (
        "The server took this start for a retry of another one",
        "Nothing was charged for it. Try again: player play {stream_id}",
    ),
}


def start_error(problem: ProblemError, stream_id: str) -> CliError:
    """Return the error for a refused start."""
    charged = problem.fields.get("charged_millipoints")
    if problem.end_reason and charged is not None:
        return _ended_already(problem.end_reason, charged)
    if problem.code in _NOTHING_LEFT:
        message, advice = _NOTHING_LEFT[problem.code]
        return _with_reason(
            CliError(f"{message} ({problem.code}).", advice.format(stream_id=stream_id), ExitStatus.OUT_OF_POINTS),
            problem.code,
        )
    if problem.code == "session_limit":
        return _session_limit(problem, stream_id)
    if problem.code == "stream_full":
        return _stream_full(problem, stream_id)
    if problem.code in _ADVICE:
        message, advice = _ADVICE[problem.code]
        text = f"{message.format(stream_id=stream_id)} ({problem.code})."
        return CliError(text, advice.format(stream_id=stream_id), ExitStatus.REFUSED)
    return problem


def _ended_already(end_reason: str, charged_millipoints: int) -> CliError:
    """Return the error for a session that ended before a retry of its start was answered."""
    ending = Ending.of_reason(end_reason)
    return _with_reason(
        CliError(
            f"{ending.sentence} ({end_reason})",
            f"The session cost {points(charged_millipoints)}. See: player receipt",
            ending.exit_status,
        ),
        end_reason,
    )


def _with_reason(error: CliError, end_reason: str) -> CliError:
    error.end_reason = end_reason
    return error


def _stream_full(problem: ProblemError, stream_id: str) -> CliError:
    sessions = _sessions(problem)
    if not sessions:
        return CliError(
            f"{stream_id} has as many viewers as it may have (stream_full).",
            f"Try again later (player play {stream_id}), or choose another stream: player streams",
            ExitStatus.REFUSED,
        )
    return CliError(
        f"{stream_id} has as many viewers as it may have (stream_full). You are one of them:{sessions}",
        f"Stop that session, or replace it: player play {stream_id} --replace",
        ExitStatus.REFUSED,
    )


def _session_limit(problem: ProblemError, stream_id: str) -> CliError:
    return CliError(
        f"You watch on as many screens as you may (session_limit):{_sessions(problem)}",
        f"Stop one of them, or end the oldest: player play {stream_id} --replace",
        ExitStatus.REFUSED,
    )


def _sessions(problem: ProblemError) -> str:
    """Return the active sessions, one a line."""
    sessions = problem.fields.get("sessions") or []
    return "".join(f"\n  {_session(session)}" for session in sessions if isinstance(session, dict))


def _session(session: dict[str, Any]) -> str:
    since = session.get("started_at_ms")
    ago = f", started {clock(time.time() - since / 1000)} ago" if since else ""
    return f"{printable(str(session.get('stream_id', '')))} (session {printable(str(session.get('session_id')))}{ago})"
