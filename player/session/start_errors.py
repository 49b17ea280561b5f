"""The errors of a refused start: the reason, and what the viewer can do."""

import time
from dataclasses import replace
from typing import Any

from player.endings import NOTHING_LEFT, Ending, refused
from player.errors import CliError
from player.exit_status import ExitStatus
from player.http.client import ProblemError
from player.session.playback_api import Funds, message_of
from player.terminal.formats import clock, points, when
from player.terminal.notices import debt_line, message_line, top_up_line
from player.terminal.text import printable

# The year 2100.
AT_MS_MAX = 4_102_444_800_000
# The code of a refusal: what happened, and what to do.
_TEXTS: dict[str, tuple[str, str]] = {
    "balance_exhausted": (
        "You have no points left",
        "{top_up} player play {stream_id}",
    ),
    "debt_open": (
        "{debt} are open from earlier viewing, and are paid first; you have {balance}",
        "{top_up} player play {stream_id}",
    ),
    "daily_cap_reached": (
        "Your daily cap is spent",
        "It resets at 00:00 UTC. To watch now, raise the cap (see: player wallet), then: player play {stream_id}",
    ),
    "stream_not_live": ("The stream {stream_id} is not live now", "See what is on: player streams"),
    "stream_not_found": ("There is no stream {stream_id}", "See what is on: player streams"),
    "blocked": ("An operator has blocked you on {where} until {until}", "Try again then: player play {stream_id}"),
    "stream_full": (
        "{stream_id} has as many viewers as it may have",
        "Try again later (player play {stream_id}), or choose another stream: player streams",
    ),
    "session_limit": (
        "You have too many active sessions",
        "Stop one of them, or end the oldest: player play {stream_id} --replace",
    ),
    "idempotency_mismatch": (
        "The server took this start for a retry of another one",
        "Nothing was charged for it. Try again: player play {stream_id}",
    ),
}


def start_error(problem: ProblemError, stream_id: str) -> CliError:
    """Return the error for a refused start."""
    code, charged = problem.code, problem.fields.get("charged_millipoints")
    if problem.end_reason and charged is not None:
        return _ended_already(problem.end_reason, charged, message_of(problem.fields))
    if code not in _TEXTS:
        return problem
    funds = Funds.from_fields(problem.fields)
    values = {
        "stream_id": stream_id,
        "where": stream_id if problem.fields.get("stream_id") else "every stream",
        "until": _until(problem),
        "debt": points(funds.debt_millipoints),
        "balance": points(funds.balance_millipoints),
        "top_up": f"{top_up_line(url)}\nThen:" if (url := funds.top_up_url) else "Ask the operator for points, then:",
    }
    message, advice = (text.format(**values) for text in _TEXTS[code])
    if code in NOTHING_LEFT:
        return CliError(f"{message} ({code}).", advice, ExitStatus.OUT_OF_POINTS, end_reason=code)
    message_to_viewer = message_of(problem.fields)
    if message_to_viewer:
        advice += f"\n{message_line(message_to_viewer)}"
    sessions = _sessions(problem)
    if code == "stream_full" and sessions:
        code_and_more = f"({code}). You are one of them:{sessions}"
        advice = f"Stop that session, or replace it: player play {stream_id} --replace"
    else:
        code_and_more = f"({code}):{sessions}" if code == "session_limit" else f"({code})."
    return CliError(f"{message} {code_and_more}", advice, ExitStatus.REFUSED, operator_message=message_to_viewer)


def _ended_already(end_reason: str, charged_millipoints: int, message: str) -> CliError:
    """Return the error for a session that ended before a retry of its start was answered."""
    ending = Ending.of_reason(end_reason)
    advice = f"The session cost {points(charged_millipoints)}. See: player receipt"
    advice += f"\n{message_line(message)}" if message else ""
    return CliError(f"{ending.sentence} ({end_reason})", advice, ending.exit_status, end_reason, message)


def _until(problem: ProblemError) -> str:
    """Return when a block ends, as a local time rounded up to the second."""
    until_ms = problem.fields.get("until_ms")
    if isinstance(until_ms, int) and 0 <= until_ms <= AT_MS_MAX:
        return when(until_ms + 999)
    return "an operator lifts it"


def _sessions(problem: ProblemError) -> str:
    """Return the active sessions, one a line."""
    sessions = problem.fields.get("sessions") or []
    return "".join(f"\n  {_session(session)}" for session in sessions if isinstance(session, dict))


def _session(session: dict[str, Any]) -> str:
    started_at_ms = session.get("started_at_ms")
    ago = f", started {clock(time.time() - started_at_ms / 1000)} ago" if started_at_ms else ""
    return f"{printable(str(session.get('stream_id', '')))} (session {printable(str(session.get('session_id')))}{ago})"


def ending_of_refused_start(error: CliError) -> Ending:
    """Return the ending for a session that could not be restarted, with an operator's message."""
    message = message_of(error.fields) if isinstance(error, ProblemError) else ""
    return replace(_ending_of(error), message=message)


def _ending_of(error: CliError) -> Ending:
    code = error.code if isinstance(error, ProblemError) else ""
    if isinstance(error, ProblemError) and code == "debt_open":
        debt = debt_line(Funds.from_fields(error.fields).debt_millipoints)
        return replace(Ending.of_reason(code), sentence=debt)
    if error.end_reason or code in NOTHING_LEFT:
        return Ending.of_reason(error.end_reason or code)
    if code == "stream_not_live":
        return Ending.of_reason("stream_stopped")
    return refused(error.format_message())
