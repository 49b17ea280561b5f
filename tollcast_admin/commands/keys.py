"""`tollcast-admin keys`: credentials of programs, such as a payment service."""

import time
from typing import Any

import click

from player.http.paths import path_of
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, Item
from tollcast_admin.display.values import age_of, when_of
from tollcast_admin.options.confirmation import confirm, yes_option
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.lists import ListView, list_options, show_list

SCOPES = ("credit", "metrics", "canary")


def _state(key: Item) -> str:
    if key["revoked_at_ms"] is not None:
        return "revoked"
    return "expired" if key["expires_at_ms"] <= time.time() * 1000 else "valid"


COLUMNS = (
    Column("KEY", lambda each: each["key_id"]),
    Column("NAME", lambda each: each["name"], cells_min=8),
    Column("SCOPES", lambda each: ",".join(each["scopes"])),
    Column("STATE", _state),
    Column("EXPIRES", lambda each: when_of(each["expires_at_ms"])),
    Column("USED", lambda each: age_of(each["last_used_at_ms"]), is_right=True, rank=1),
    Column("CREATED", lambda each: when_of(each["created_at_ms"]), rank=2),
    Column("BY", lambda each: each["created_by"], rank=3),
)


@click.group("keys")
def command() -> None:
    """Create, rotate and revoke the credentials of programs."""


@command.command("list", epilog=STATUSES)
@list_options
@click.pass_obj
def list_keys(context: AdminContext, limit: int, json_fields: str | None) -> None:
    """List the service keys, expired and revoked ones too, without their secrets.

    \b
      tollcast-admin keys list
    """
    empty = "There are no service keys. Create one: tollcast-admin keys create --help"
    show_list(context, ListView("/service-keys", COLUMNS, empty, {}), limit, json_fields)


@command.command("create", epilog=STATUSES)
@click.argument("name")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, required=True, help="What it may do.")
@click.option("--days", type=click.IntRange(1), required=True, help="How long it is valid, 400 days at most.")
@click.pass_obj
def create(context: AdminContext, name: str, scopes: tuple[str, ...], days: int) -> None:
    """Create a service key, and print it: it is shown only now. Only the key goes to standard output.

    \b
      tollcast-admin keys create shop --scope credit --days 90 > shop.key
    """
    body = {"name": name, "scopes": list(scopes), "expires_in_days": days}
    _print_new(context.account.call("POST", "/service-keys", body))


@command.command("rotate", epilog=STATUSES)
@click.argument("key_id")
@click.option(
    "--overlap-hours", type=click.IntRange(0), required=True, help="How long the old secret works. 0: ends now."
)
@click.option("--days", type=click.IntRange(1), help="A new expiry, from now. Without it the key expires as before.")
@click.pass_obj
def rotate(context: AdminContext, key_id: str, overlap_hours: int, days: int | None) -> None:
    """Give a key a new secret, and print it: it is shown only now.

    \b
      tollcast-admin keys rotate KEY_ID --overlap-hours 24 > shop.key
    """
    body = {"overlap_hours": overlap_hours, **({"expires_in_days": days} if days is not None else {})}
    _print_new(context.account.call("POST", path_of("service-keys", key_id, "rotate"), body))


@command.command("revoke", epilog=STATUSES)
@click.argument("key_id")
@yes_option
@click.pass_obj
def revoke(context: AdminContext, key_id: str, yes: bool) -> None:
    """Revoke a key for good, from the next request on.

    \b
      tollcast-admin keys revoke KEY_ID
    """
    confirm(f"Revoke the key {key_id} for good?", yes)
    key = context.account.call("DELETE", path_of("service-keys", key_id))
    click.echo(f"The key {key['name']} ({key['key_id']}) is revoked.")


def _print_new(key: dict[str, Any]) -> None:
    expires = when_of(key["expires_at_ms"])
    click.echo(f"{key['name']} ({key['key_id']}), {', '.join(key['scopes'])}, expires {expires}.", err=True)
    click.echo("Keep it: it is not shown again.", err=True)
    click.echo(key["key"])
