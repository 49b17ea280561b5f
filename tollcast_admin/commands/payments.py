"""`tollcast-admin payments`: look up a payment and take it back."""

from typing import Any

import click

from player.http.paths import path_of
from player.terminal.formats import points
from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import points_of, when_of
from tollcast_admin.options.confirmation import confirm, yes_option
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import ListView, list_options, show_list
from tollcast_admin.options.values import Moment, user_id_of

COLUMNS = (
    Column("PAYMENT", lambda each: each["payment_id"]),
    Column("POINTS", lambda each: points_of(each["millipoints"]), is_right=True),
    Column("SOURCE", lambda each: each["source"], cells_min=8),
    Column("MADE", lambda each: when_of(each["at_ms"]), rank=1),
    Column("TAKEN BACK", lambda each: points_of(each["reversed_millipoints"]), is_right=True, rank=2),
    Column("USER", lambda each: each["user_id"], rank=3),
    Column("NOTE", lambda each: each["note"], cells_min=12, rank=4),
)


@click.group("payments")
def command() -> None:
    """Look up payments, and take one back."""


@command.command("list", epilog=STATUSES)
@click.argument("search", required=False)
@click.option("--user", metavar="USER", help="Only payments of this user: email or id.")
@click.option("--source", help="Only payments of this source, such as `operator` or the name of a service key.")
@click.option("--since", type=Moment(), help="Only later ones: 2026-01-31, 2026-01-31T18:00, or 2h ago as 2h.")
@click.option("--until", type=Moment(), help="Only earlier ones.")
@list_options
@click.pass_obj
def list_payments(
    context: AdminContext,
    search: str | None,
    user: str | None,
    source: str | None,
    since: int | None,
    until: int | None,
    limit: int,
    json_fields: str | None,
) -> None:
    """List payments, newest first. SEARCH is how the payment id begins.

    \b
      tollcast-admin payments list --user demo@local
      tollcast-admin payments list acme: --since 24h
    """
    filters = {"q": search, "user_id": user and user_id_of(context, user), "source": source, "from_ms": since}
    view = ListView("/payments", COLUMNS, "There is no such payment.", {**filters, "to_ms": until})
    show_list(context, view, limit, json_fields)


@command.command("show", epilog=STATUSES)
@click.argument("payment_id")
@json_option
@click.pass_obj
def show_payment(context: AdminContext, payment_id: str, json_fields: str | None) -> None:
    """Show a payment, and its reversal if it was taken back.

    \b
      tollcast-admin payments show gift-1
    """
    payment = context.account.call("GET", path_of("payments", payment_id))
    if json_fields is not None:
        click.echo(json_text(payment, json_fields))
        return
    _show(payment)


@command.command("reverse", epilog=STATUSES)
@click.argument("payment_id")
@click.option("--disable-account", is_flag=True, help="Disable the account too, which ends its logins and sessions.")
@click.option("--note", default="", help="Why, for the ledger and the audit log; 200 characters at most.")
@yes_option
@click.pass_obj
def reverse(context: AdminContext, payment_id: str, disable_account: bool, note: str, yes: bool) -> None:
    """Take a payment back, at most what the wallet holds, such as after a chargeback. Repeating it changes nothing.

    \b
      tollcast-admin payments reverse gift-1 --note "chargeback 4711"
    """
    confirm(f"Take the payment {payment_id} back{' and disable the account' if disable_account else ''}?", yes)
    body = {"disable_account": disable_account, "note": note}
    _show(context.account.call("POST", path_of("payments", payment_id, "reverse"), body))


def _show(payment: dict[str, Any]) -> None:
    is_reversed = payment["reversed_at_ms"] is not None
    reversal = [
        ("Taken back", points(payment["reversed_millipoints"] or 0)),
        ("Not in the wallet", points(payment["shortfall_millipoints"] or 0)),
        ("Reversed", when_of(payment["reversed_at_ms"])),
        ("Reversed by", payment["reversed_by_user_id"]),
        ("Reversal note", payment["reversal_note"] or None),
    ]
    fields = [
        ("Payment", payment["payment_id"]),
        ("Amount", points(payment["millipoints"])),
        ("User", payment["user_id"]),
        ("Session", payment["session_id"]),
        ("Source", payment["source"]),
        ("Note", payment["note"] or None),
        ("Made", when_of(payment["at_ms"])),
        ("Made by", payment["by_user_id"]),
        *(reversal if is_reversed else []),
    ]
    for line in field_lines(fields, terminal_width()):
        click.echo(line)
