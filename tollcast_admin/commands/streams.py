"""`tollcast-admin streams`: list, look at, create and edit streams."""

from typing import Any

import click

from player.http.paths import path_of
from player.terminal.output import print_sentence, terminal_width
from player.terminal.text import printable
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column
from tollcast_admin.display.values import counted, rate_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import ListView, json_indent, list_options, read_list, show, show_list, watch_options
from tollcast_admin.options.versions import change, version_option
from tollcast_admin.streams import commands as stream_commands
from tollcast_admin.streams.runtime import stream_lines
from tollcast_admin.streams.settings import fields_of, setting_text, settings_options, source_options

VIEWERS_COUNTED_MAX = 200
# Fields that let one send; `--json all` leaves them out, naming them prints them.
SECRET_FIELDS = ("ingest_key", "ingest_address")
COLUMNS = (
    Column("STREAM", lambda each: each["stream_id"]),
    Column("TITLE", lambda each: each["title"], cells_min=20),
    Column("STATE", lambda each: each["state"]),
    Column("WANTED", lambda each: each["desired_state"]),
    Column("POINTS/MIN", lambda each: rate_of(each["rate_millipoints_per_minute"]), is_right=True),
    Column("PROFILE", lambda each: each["abr_profile"], rank=1),
    Column("LATENCY", lambda each: each["latency"], rank=2),
    Column("VIEWERS MAX", lambda each: str(each["viewers_max"] or "no limit"), is_right=True, rank=3),
)
SOURCES_HELP = """\b
    Sources:
      test                        a test pattern
      file:film.mp4               a file in the media directory, in a loop
      rtmp                        wait for a sender by RTMP, such as OBS
      srt:9000                    wait for a sender by SRT at this port
      https://… rtmps://… srt://… fetch it from there
    Behind a source: program=2 (MPEG-TS programme), audio=1 (audio track):
      --source "srt:9000 program=2 audio=1"
"""


@click.group("streams")
def command() -> None:
    """List, create, edit, start and watch streams."""


@command.command("list", epilog=STATUSES)
@list_options
@watch_options
@click.pass_obj
def list_streams(
    context: AdminContext, limit: int, json_fields: str | None, is_watched: bool, every_s: float | None
) -> None:
    """List the streams, what happens with each, and what was asked for.

    \b
      tollcast-admin streams list --watch
      tollcast-admin streams list --json stream_id,state
    """
    view = ListView(
        "/streams", COLUMNS, "There are no streams yet. Create one: tollcast-admin streams create --help", {}
    )
    show_list(context, view, limit, json_fields, is_watched, every_s)


@command.command("show", epilog=STATUSES)
@click.argument("stream_id")
@json_option
@watch_options
@click.pass_obj
def show_stream(
    context: AdminContext, stream_id: str, json_fields: str | None, is_watched: bool, every_s: float | None
) -> None:
    """Show one stream: what happens, source, tracks, repairs, outages, settings. Keys are not shown.

    With --json, the fields are those of the settings and, in `runtime`, those of the worker's report.

    \b
      tollcast-admin streams show films --watch
      tollcast-admin streams show films --json state,runtime
    """

    def render() -> list[str]:
        stream = context.account.call("GET", path_of("streams", stream_id))
        runtime = context.account.call("GET", path_of("streams", stream_id, "runtime"))
        if json_fields is not None:
            hidden = SECRET_FIELDS if json_fields == "all" else ()
            fields = {name: value for name, value in stream.items() if name not in hidden}
            return [json_text({**fields, "runtime": runtime}, json_fields, indent=json_indent(is_watched, every_s))]
        return stream_lines(stream, runtime, _viewers(context, stream_id), terminal_width())

    show(render, is_watched, every_s)


@command.command(
    "create",
    epilog=STATUSES,
    help=f"""Create a stopped stream. Everything but title and source has a default.

    {SOURCES_HELP}
    \b
    Examples:
      tollcast-admin streams create "Evening show" --source rtmp --rate 2
      tollcast-admin streams create Films --source file:film.mp4 --backup test
    """,
)
@click.argument("title")
@click.option("--id", "stream_id", metavar="STREAM_ID", help="Lower-case letters, digits and -; else it is made up.")
@source_options(is_required=True)
@settings_options
@click.pass_obj
def create_stream(context: AdminContext, /, stream_id: str | None, **options: Any) -> None:
    """Create a stream."""
    body = fields_of(options) | ({"stream_id": stream_id} if stream_id else {})
    stream = context.account.call("POST", "/streams", body)
    name = printable(stream["stream_id"])
    click.echo(f"Created {name}. It is stopped.")
    if stream["ingest_address"]:
        click.echo(f"Where to send:       tollcast-admin streams ingest {name}")
    click.echo(f"Put it live:         tollcast-admin streams start {name}")


@command.command(
    "edit",
    epilog=STATUSES,
    help=f"""Change settings of a stream; those that are not named stay.

    --dry-run says what the change would do, and changes nothing.

    {SOURCES_HELP}
    \b
    Examples:
      tollcast-admin streams edit films --profile sd --dry-run
      tollcast-admin streams edit films --rate 0.5 --viewers-max 200
      tollcast-admin streams edit films --no-backups
    """,
)
@click.argument("stream_id")
@click.option("--title", help="The title that viewers see.")
@source_options(is_required=False)
@settings_options
@click.option("--no-backups", is_flag=True, help="Remove all backups.")
@click.option("--dry-run", is_flag=True, help="Only say what the change would do.")
@version_option
@click.pass_obj
def edit_stream(
    context: AdminContext, /, stream_id: str, no_backups: bool, dry_run: bool, version: int | None, **options: Any
) -> None:
    """Change a stream."""
    changes = fields_of(options)
    if no_backups and "backups" in changes:
        raise click.UsageError("Use either --backup or --no-backups.")
    if no_backups:
        changes["backups"] = []
    if not changes:
        raise click.UsageError("Name at least one setting to change, such as --title or --rate.")
    path = path_of("streams", stream_id)
    before = context.account.call("GET", path)
    edit = change(context, "PATCH", f"{path}?dry_run=true" if dry_run else path, changes, version)
    for name, wanted in changes.items():
        old, new = (setting_text(name, value) for value in (before[name], wanted if dry_run else edit[name]))
        if old != new:
            print_sentence(f"{name}: {printable(old)} → {printable(new)}")
    print_sentence(_effect(edit, dry_run))


for each in stream_commands.COMMANDS:
    command.add_command(each)


def _effect(edit: dict[str, Any], dry_run: bool) -> str:
    viewers = f"{edit['viewers']} {'viewer notices' if edit['viewers'] == 1 else 'viewers notice'} it"
    would, does = ("would restart", "would be") if dry_run else ("restarts", "is")
    if edit["applies"] == "none":
        return "Nothing changes."
    if edit["applies"] == "restart":
        return f"The encoder {would}: {viewers}." + (" Nothing was changed." if dry_run else "")
    return f"The change {does} made without a restart." + (" Nothing was changed." if dry_run else "")


def _viewers(context: AdminContext, stream_id: str) -> str:
    """Return how many watch. Sessions that fetch nothing are named apart, and the canary's are none."""
    sessions, is_more = read_list(context, "/sessions", {"stream_id": stream_id}, VIEWERS_COUNTED_MAX)
    viewers = [each for each in sessions if not each["is_canary"]]
    idle = sum(each["is_fetching"] is False for each in viewers)
    watching = f"{'more than ' if is_more else ''}{len(viewers) - idle}"
    return f"{watching}, and {counted(idle, 'session')} without media" if idle else watching
