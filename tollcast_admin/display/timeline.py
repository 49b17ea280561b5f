"""The timeline of a user in lines for people."""

from collections.abc import Sequence
from typing import Any

from player.terminal.text import printable, wrapped
from tollcast_admin.display.actions import author_of, changes_text
from tollcast_admin.display.columns import Item
from tollcast_admin.display.values import duration_of, points_of, text_of, when_of

INDENT_CELLS = 21


def timeline_lines(events: Sequence[Item], width: int) -> list[str]:
    """Return each event with its time, wrapped below itself."""
    lines = []
    for event in events:
        first, *more = wrapped(printable(_text(event)), max(20, width - INDENT_CELLS))
        lines += [f"{when_of(event['at_ms'])}  {first}", *(" " * INDENT_CELLS + line for line in more)]
    return lines


def _text(event: Item) -> str:
    if event["session"]:
        return _session(event["session"])
    if event["payment"]:
        return _payment(event["payment"])
    if event["login"]:
        return f"login from {text_of(event['login']['ip'])} with {text_of(event['login']['user_agent'])}"
    if event["act"]:
        act = event["act"]
        return f"{act['action']} {act['target']} by {author_of(act)}: {changes_text(act)}".rstrip(": ")
    return str(event["kind"])


def _session(session: dict[str, Any]) -> str:
    what = f"session {session['session_id']} of {session['stream_id']}"
    if session["active"]:
        return f"{what}, active"
    cost = points_of(session["charged_millipoints"])
    return f"{what}, {cost} points for {duration_of(session['watched_ms'])}, ended by {session['end_reason']}"


def _payment(payment: dict[str, Any]) -> str:
    note = f": {payment['note']}" if payment["note"] else ""
    taken = payment["reversed_millipoints"]
    reversal = f", {points_of(taken)} taken back {when_of(payment['reversed_at_ms'])}" if taken is not None else ""
    amount = f"{points_of(payment['millipoints'])} points by {payment['source']}"
    return f"payment {payment['payment_id']}, {amount}{note}{reversal}"
