"""`tollcast-admin wallets`: balances, points for and from users, and ledgers."""

from pathlib import Path
from typing import Any

import click

from player.http.paths import path_of
from player.statement.export import already_exists, fetch, save
from player.terminal.formats import clock, points
from player.terminal.ledger_table import ledger_lines
from player.terminal.output import terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, column_table
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import age_of, points_of, rate_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import LIMIT_MAX, json_indent, read_list, show, watch_options
from tollcast_admin.options.payments import pay, payment_options
from tollcast_admin.options.values import Points, user_id_of

LEDGER_LIMIT = 20
FORMATS = ("json", "csv")
SESSIONS = (
    Column("SESSION", lambda each: each["session_id"]),
    Column("STREAM", lambda each: each["stream_id"], cells_min=8),
    Column("POINTS/MIN", lambda each: rate_of(each["rate_millipoints_per_minute"]), is_right=True),
    Column("SPENT", lambda each: points_of(each["charged_millipoints"]), is_right=True),
    Column("FOR", lambda each: age_of(each["started_at_ms"]), is_right=True),
)
take_option = click.option("--take", is_flag=True, help="Take the points instead of giving them.")


@click.group("wallets")
def command() -> None:
    """Look at wallets, give and take points. USER is an email or an id."""


@command.command("show", epilog=STATUSES)
@click.argument("user")
@json_option
@watch_options
@click.pass_obj
def show_wallet(
    context: AdminContext, user: str, json_fields: str | None, is_watched: bool, every_s: float | None
) -> None:
    """Show a wallet: balance, open points, daily cap, and the sessions that spend from it.

    \b
      tollcast-admin wallets show demo@local
      tollcast-admin wallets show demo@local --json balance_millipoints
    """
    path = path_of("wallets", user_id_of(context, user))

    def render() -> list[str]:
        wallet = context.account.call("GET", path)
        if json_fields is not None:
            return [json_text(wallet, json_fields, indent=json_indent(is_watched, every_s))]
        return wallet_lines(wallet, terminal_width())

    show(render, is_watched, every_s)


@command.command("credit", epilog=STATUSES)
@click.argument("user")
@click.argument("amount", type=Points())
@take_option
@click.option("--source", help="Where the payment comes from: one word or a few, by default `operator`.")
@payment_options
@click.pass_obj
def credit(
    context: AdminContext, user: str, amount: int, take: bool, source: str | None, payment_id: str | None, note: str
) -> None:
    """Give a user points, or take some with --take. The same payment id pays once.

    \b
      tollcast-admin wallets credit demo@local 100 --note "welcome"
      tollcast-admin wallets credit demo@local 50 --payment-id invoice-7 --source mail
      tollcast-admin wallets credit demo@local 2.5 --take --payment-id fix-17
    """
    path = path_of("wallets", user_id_of(context, user), "credit")
    more = {"source": source} if source is not None else {}
    wallet, made_id = pay(context, path, -amount if take else amount, payment_id, note, **more)
    _show_paid(wallet, amount, take, made_id)


@command.command("adjust", epilog=STATUSES)
@click.argument("session_id")
@click.argument("amount", type=Points())
@take_option
@payment_options
@click.pass_obj
def adjust(context: AdminContext, session_id: str, amount: int, take: bool, payment_id: str | None, note: str) -> None:
    """Give points back for an ended session, at most what it has cost; or take such points again with --take.

    \b
      tollcast-admin wallets adjust SESSION_ID 3.5 --note "no sound"
    """
    path = path_of("sessions", session_id, "adjust")
    wallet, made_id = pay(context, path, -amount if take else amount, payment_id, note)
    _show_paid(wallet, amount, take, made_id)


@command.command("ledger", epilog=STATUSES)
@click.argument("user")
@click.option(
    "--limit", type=click.IntRange(1, LIMIT_MAX), default=LEDGER_LIMIT, show_default=True, help="How many entries."
)
@json_option
@click.pass_obj
def ledger(context: AdminContext, user: str, limit: int, json_fields: str | None) -> None:
    """List what a user paid and received, newest first.

    \b
      tollcast-admin wallets ledger demo@local --limit 100
    """
    entries, _ = read_list(context, path_of("wallets", user_id_of(context, user), "ledger"), {}, limit)
    if json_fields is not None:
        click.echo(json_text(entries, json_fields))
        return
    for line in ledger_lines(entries, terminal_width()) if entries else ["Nothing was paid or received yet."]:
        click.echo(line)


@command.command("cap", epilog=STATUSES)
@click.argument("user")
@click.argument("cap")
@click.pass_obj
def cap(context: AdminContext, user: str, cap: str) -> None:
    """Set the most that a user may spend on a day (UTC), or remove the limit with `none`.

    \b
      tollcast-admin wallets cap demo@local 500
      tollcast-admin wallets cap demo@local none
    """
    millipoints = None if cap.strip().lower() == "none" else Points().convert(cap, None, None)
    path = path_of("wallets", user_id_of(context, user), "cap")
    for line in wallet_lines(
        context.account.call("PUT", path, {"daily_cap_millipoints": millipoints}), terminal_width()
    ):
        click.echo(line)


@command.command("statement", epilog=STATUSES)
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.pass_obj
def statement(context: AdminContext, user: str, file: Path, force: bool) -> None:
    """Save a user's whole ledger as FILE.json or FILE.csv, which `player verify FILE` checks without the server.

    \b
      tollcast-admin wallets statement demo@local bill.json
    """
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise click.UsageError("Name the file FILE.json or FILE.csv, which decides the format.")
    if file.exists() and not force:
        raise already_exists(file)
    export = fetch(context.account, form, path=path_of("wallets", user_id_of(context, user), "ledger", "export"))
    save(file, export.text, force)
    fields = [
        ("Saved", f"{file}, {export.lines} lines" + (", not all: the file is full" if export.is_partial else "")),
        ("Balance", points(export.end.balance_millipoints)),
        ("Last hash", export.end.hash),
        ("Check it", f"player verify {file}"),
    ]
    for line in field_lines(fields, terminal_width()):
        click.echo(line)


def wallet_lines(wallet: dict[str, Any], width: int) -> list[str]:
    """Return a wallet and the sessions that spend from it."""
    cap, debt = wallet["daily_cap_millipoints"], wallet["debt_millipoints"]
    spent = points(wallet["spent_today_millipoints"])
    fields = [
        ("User", wallet["user_id"]),
        ("Balance", points(wallet["balance_millipoints"])),
        ("Open", f"{points(debt)}; the next start pays them" if debt else None),
        ("Today", f"{spent} spent, " + (f"of {points(cap)} a day (UTC)" if cap is not None else "no daily cap")),
        ("Entries", str(wallet["version"])),
        ("Sessions", f"{len(wallet['sessions'])} active"),
    ]
    lines = field_lines(fields, width)
    rates = [each["rate_millipoints_per_minute"] for each in wallet["sessions"]]
    if sum(rates):
        lines.append(f"The balance lasts {clock(wallet['balance_millipoints'] * 60 / sum(rates))} after the paid time.")
    return [*lines, "", *column_table(SESSIONS, wallet["sessions"], width)] if rates else lines


def _show_paid(wallet: dict[str, Any], amount: int, take: bool, payment_id: str) -> None:
    fields = [
        ("Taken" if take else "Given", points(amount)),
        ("Payment", payment_id),
        ("User", wallet["user_id"]),
        ("Balance", points(wallet["balance_millipoints"])),
    ]
    for line in field_lines(fields, terminal_width()):
        click.echo(line)
