"""`tollcast-admin audit`: what operators did."""

import click

from tollcast_admin.context import AdminContext
from tollcast_admin.display.actions import entry_lines
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list
from tollcast_admin.options.values import user_id_of


@click.command("audit", epilog=STATUSES)
@click.option("--user", metavar="USER", help="Only actions on this user: email or id.")
@click.option("--by", metavar="USER", help="Only actions of this operator (email or id) or service key (key:KEY_ID).")
@list_options
@click.pass_obj
def command(context: AdminContext, user: str | None, by: str | None, limit: int, json_fields: str | None) -> None:
    """List what operators and service keys did, newest first. --json all has every change in full.

    \b
      tollcast-admin audit --limit 20
      tollcast-admin audit --user demo@local
      tollcast-admin audit --by key:KEY_ID --json at_ms,action,target
    """
    if user and by:
        raise click.UsageError("Use either --user or --by.")
    filters = {"user_id": user and user_id_of(context, user), "by_user_id": by and user_id_of(context, by)}
    show_list(context, ListView("/audit", (), "Nothing was done yet.", filters, entry_lines), limit, json_fields)
