"""`tollcast-admin payments`: look up a payment and take it back."""

from typing import Any

import click

from player.terminal.formats import points
from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import when_of
from tollcast_admin.options.confirmation import confirm, yes_option
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.values import path_of


@click.group("payments")
def command() -> None:
    """Look up a payment, and take it back."""


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
