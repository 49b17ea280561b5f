"""`tollcast-admin sessions`: who watches, what sessions cost, and ending one."""

from typing import Any

import click

from player.terminal.formats import clock, points
from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, Item
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import (
    UNKNOWN,
    age_of,
    bits_of,
    duration_of,
    points_of,
    rate_of,
    text_of,
    when_of,
)
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list, watch_options
from tollcast_admin.options.values import Minutes, user_id_of


def _left(session: Item) -> str:
    """Return how long the points last; a free stream has no such limit."""
    left_s = session["seconds_left"]
    return UNKNOWN if left_s is None else clock(left_s)


def _fetched(session: Item) -> str:
    """Return when media was last fetched, with a mark if the player has stopped fetching."""
    if session["is_fetching"] is None:
        return UNKNOWN
    return age_of(session["last_fetch_at_ms"]) if session["is_fetching"] else f"! {age_of(session['last_fetch_at_ms'])}"


def _cut_off(session: Item) -> str:
    """Return how long media was served after an early end."""
    if session["cut_off_measured"] is False:
        return "not measured yet"
    return UNKNOWN if session["cut_off_ms"] is None else f"{session['cut_off_ms']} ms"


SESSION = Column("SESSION", lambda each: each["session_id"])
EMAIL = Column("EMAIL", lambda each: each["email"] or each["user_id"], cells_min=14)
STREAM = Column("STREAM", lambda each: each["stream_id"], cells_min=8)
USER = Column("USER", lambda each: each["user_id"], rank=5)
ADDRESS = Column("ADDRESS", lambda each: text_of(each["ip"]), rank=3)
AGENT = Column("AGENT", lambda each: text_of(each["user_agent"]), cells_min=12, rank=6)
ACTIVE = (
    SESSION,
    EMAIL,
    STREAM,
    Column("SPENT", lambda each: points_of(each["charged_millipoints"]), is_right=True),
    Column("LEFT", _left, is_right=True),
    Column("FOR", lambda each: age_of(each["started_at_ms"]), is_right=True, rank=1),
    Column("FETCH", _fetched, is_right=True),
    Column("BITRATE", lambda each: bits_of(each["bitrate_bps"]), is_right=True, rank=2),
    Column("RENDITION", lambda each: text_of(each["rendition"]), rank=4),
    ADDRESS,
    Column("POINTS/MIN", lambda each: rate_of(each["rate_millipoints_per_minute"]), is_right=True, rank=5),
    Column("BALANCE", lambda each: points_of(each["balance_millipoints"]), is_right=True, rank=6),
    USER,
    AGENT,
)
ENDED = (
    SESSION,
    EMAIL,
    Column("REASON", lambda each: text_of(each["end_reason"])),
    Column("COST", lambda each: points_of(each["charged_millipoints"]), is_right=True),
    Column("ENDED", lambda each: when_of(each["ended_at_ms"]), rank=1),
    Column("WATCHED", lambda each: duration_of(each["watched_ms"]), is_right=True, rank=2),
    Column("STREAM", lambda each: each["stream_id"], cells_min=8, rank=3),
    Column("SERVED", lambda each: duration_of(each["media_ms"]), is_right=True, rank=4),
    Column("CUT OFF", _cut_off, is_right=True, rank=2),
    Column("SETTLED", lambda each: points_of(each["settled_millipoints"]), is_right=True, rank=4),
    USER,
    AGENT,
)


@click.group("sessions")
def command() -> None:
    """See who watches, and end a session."""


@command.command("list", epilog=STATUSES)
@click.option("--stream", "stream_id", metavar="STREAM_ID", help="Only sessions of this stream.")
@click.option("--user", metavar="USER", help="Only sessions of this user: email or id.")
@click.option("--ended", is_flag=True, help="Ended sessions, the newest first; name a stream or a user.")
@list_options
@watch_options
@click.pass_obj
def list_sessions(
    context: AdminContext,
    stream_id: str | None,
    user: str | None,
    ended: bool,
    limit: int,
    json_fields: str | None,
    is_watched: bool,
    every_s: float | None,
) -> None:
    """List who is watching what, what it has cost, and how long the points last. A wider terminal shows more.

    FETCH is when media was last fetched; `!` marks a player that has stopped fetching.

    \b
      tollcast-admin sessions list --watch
      tollcast-admin sessions list --stream films --json session_id,email
      tollcast-admin sessions list --user demo@local --ended
    """
    filters = {
        "stream_id": stream_id,
        "user_id": user and user_id_of(context, user),
        "state": "ended" if ended else "active",
    }
    empty = "No such session has ended." if ended else "Nothing is being watched."
    view = ListView("/sessions", ENDED if ended else ACTIVE, empty, filters)
    show_list(context, view, limit, json_fields, is_watched, every_s)


@command.command("kick", epilog=STATUSES)
@click.argument("session_id")
@click.option("--reason", default="", help="Why, for the audit log; 200 characters at most.")
@click.option("--message", help="What the viewer reads on the picture and in the terminal; 200 characters at most.")
@click.option("--block", "block_minutes", type=Minutes(), help="No new session for so long: 30m, 2h, 720h.")
@click.option("--this-stream", is_flag=True, help="Block this stream only, not all.")
@click.pass_obj
def kick(
    context: AdminContext,
    session_id: str,
    reason: str,
    message: str | None,
    block_minutes: int | None,
    this_stream: bool,
) -> None:
    """End a session now. The rest of its lease goes back to the viewer, who may start again unless blocked.

    A block ends by itself; `blocks lift` ends it sooner. To keep a viewer out for good: users disable

    \b
      tollcast-admin sessions kick SESSION_ID --message "Please log in again."
      tollcast-admin sessions kick SESSION_ID --block 2h --reason "shared account"
    """
    if this_stream and block_minutes is None:
        raise click.UsageError("--this-stream goes with --block.")
    body: dict[str, Any] = {"session_id": session_id, "reason": reason}
    body |= {"message": message} if message else {}
    body |= {"block_minutes": block_minutes, "block_stream": this_stream} if block_minutes is not None else {}
    end = context.account.call("POST", "/playback/kick", body)
    reserved, block = end["reserved_millipoints"], end["block"]
    fields = [
        ("Ended", f"{end['session_id']} ({end['end_reason']})"),
        ("Cost", points(end["charged_millipoints"])),
        ("Given back", points(end["refunded_millipoints"])),
        ("Reserved", f"{points(reserved)}: come back if they were not fetched" if reserved else None),
        ("Watched", duration_of(end["watched_ms"])),
        ("Message", end["message"]),
        ("Blocked", _block_text(block) if block else None),
        ("Cut off", "measured some minutes later: sessions list --ended"),
    ]
    for line in field_lines(fields, terminal_width()):
        click.echo(line)


def _block_text(block: dict[str, Any]) -> str:
    return f"until {when_of(block['until_ms'])} on {block['stream_id'] or 'all streams'} ({block['block_id']})"
