"""Payments that are made once, also when their answer was lost."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import click

from player.errors import CliError, UnreachableError
from player.exit_status import ExitStatus
from tollcast_admin.context import AdminContext

Command = TypeVar("Command", bound=Callable[..., Any])


def payment_options(command: Command) -> Command:
    """Add `--payment-id` and `--note` to a command."""
    payment_id = click.option(
        "--payment-id", metavar="ID", help="Your id of this payment. The same id pays once. Without it, one is made up."
    )
    note = click.option("--note", default="", help="Why, for the ledger that the viewer sees; 200 characters at most.")
    return payment_id(note(command))


def pay(
    context: AdminContext, path: str, millipoints: int, payment_id: str | None, note: str, **more: str
) -> tuple[dict[str, Any], str]:
    """Send a payment, with `more` fields, and return the wallet after it and the payment's id.

    Raise CliError with the id to repeat if no answer came: the payment may have been made. Raises the errors of
    Account.call.
    """
    payment_id = f"admin-{secrets.token_hex(8)}" if payment_id is None else payment_id
    body = {"millipoints": millipoints, "payment_id": payment_id, "note": note, **more}
    try:
        return context.account.call("POST", path, body), payment_id
    except UnreachableError as error:
        raise CliError(
            f"{error.message} The payment may have been made.",
            f"Repeat it with the same id, which pays once: --payment-id {payment_id}",
            ExitStatus.UNREACHABLE,
        ) from None
