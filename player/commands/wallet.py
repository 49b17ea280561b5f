"""`player wallet`: the balance, and what is being watched on it."""

import json
import time
from typing import Any

import click

from player.context import Context, terminal_width


@click.command("wallet", short_help="Points, and how long they last.")
@click.option("--json", "as_json", is_flag=True, help="Print the wallet as JSON.")
@click.pass_obj
def command(context: Context, as_json: bool) -> None:
    """Show the balance, the sessions that are active, and how long the points last."""
    from player.formats import points, table

    wallet = context.account.call("GET", "/me/wallet")
    if as_json:
        click.echo(json.dumps(wallet, indent=2))
        return
    balance, sessions = wallet["balance_millipoints"], wallet.get("sessions") or []
    click.echo(f"Balance: {points(balance)}")
    if not sessions:
        click.echo("Nothing is being watched. See what is on: player streams")
        return
    click.echo(_lasts(balance, sessions))
    header = ("STREAM", "SESSION", "POINTS/MIN", "SPENT", "STARTED")
    for line in table(header, [_row(session) for session in sessions], terminal_width(), right=(2, 3)):
        click.echo(line)


def _lasts(balance: int, sessions: list[dict[str, Any]]) -> str:
    from player.formats import clock, rate

    per_minute = sum(session.get("rate_millipoints_per_minute") or 0 for session in sessions)
    if not per_minute:
        return "What is being watched is free."
    return f"At {rate(per_minute)} that lasts {clock(balance * 60 / per_minute)} beyond what is paid already."


def _row(session: dict[str, Any]) -> list[str]:
    from player.formats import amount, clock, printable, short_amount

    started_at_ms = session.get("started_at_ms")
    return [
        printable(str(session.get("stream_id") or "")),
        printable(session["session_id"]),
        short_amount(session.get("rate_millipoints_per_minute") or 0),
        amount(session.get("charged_millipoints") or 0),
        f"{clock(time.time() - started_at_ms / 1000)} ago" if started_at_ms else "",
    ]
