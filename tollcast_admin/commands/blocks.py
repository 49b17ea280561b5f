"""`tollcast-admin blocks`: viewers who may not start sessions for some time."""

import click

from player.http.paths import path_of
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column
from tollcast_admin.display.values import text_of, when_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list, watch_options
from tollcast_admin.options.values import user_id_of

COLUMNS = (
    Column("BLOCK", lambda each: each["block_id"]),
    Column("STREAM", lambda each: each["stream_id"] or "all", cells_min=8),
    Column("UNTIL", lambda each: when_of(each["until_ms"])),
    Column("REASON", lambda each: text_of(each["reason"]), cells_min=12, rank=1),
    Column("MESSAGE", lambda each: text_of(each["message"]), cells_min=12, rank=2),
    Column("BY", lambda each: each["by_user_id"], rank=3),
)


@click.group("blocks")
def command() -> None:
    """See which viewers are blocked, and lift a block. Blocks are made by `sessions kick --block`."""


@command.command("list", epilog=STATUSES)
@click.option("--stream", "stream_id", metavar="STREAM_ID", help="Only blocks on this stream.")
@click.option("--user", metavar="USER", help="Only blocks of this user: email or id.")
@list_options
@watch_options
@click.pass_obj
def list_blocks(
    context: AdminContext,
    stream_id: str | None,
    user: str | None,
    limit: int,
    json_fields: str | None,
    is_watched: bool,
    every_s: float | None,
) -> None:
    """List the blocks in force, the one that ends first at the top.

    \b
      tollcast-admin blocks list
      tollcast-admin blocks list --user demo@local
    """
    filters = {"stream_id": stream_id, "user_id": user and user_id_of(context, user)}
    view = ListView("/blocks", COLUMNS, "No viewer is blocked.", filters)
    show_list(context, view, limit, json_fields, is_watched, every_s)


@command.command("lift", epilog=STATUSES)
@click.argument("block_id")
@click.pass_obj
def lift(context: AdminContext, block_id: str) -> None:
    """Lift a block at once. BLOCK_ID is in the list: the user's id, with the stream's behind a dot.

    \b
      tollcast-admin blocks lift BLOCK_ID
    """
    block = context.account.call("DELETE", path_of("blocks", block_id))
    where = f"on {block['stream_id']}" if block["stream_id"] else "on all streams"
    click.echo(f"{block['user_id']} may start sessions {where} again.")
