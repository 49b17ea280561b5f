"""`player wallet`: the balance, the daily cap, and what is being watched."""

import json
import re
import time
from typing import Any

import click

from player.context import Context, sentence, terminal_width
from player.outcome import ASKING, ExitStatus, exit_status_help

CAP = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?(?:/day)?")
STATUSES = {ExitStatus.OK: "shown or set", **ASKING}


@click.group(
    "wallet",
    short_help="Points, daily cap, how long they last.",
    invoke_without_command=True,
    epilog=exit_status_help(STATUSES),
)
@click.option("--json", "as_json", is_flag=True, help="Print the wallet as JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show the balance, what today has cost, the sessions that are active, and how long the points last."""
    if ctx.invoked_subcommand is None:
        _show(ctx.obj, as_json)
    elif as_json:
        raise click.UsageError("--json goes with `player wallet` alone.")


@command.command("cap", short_help="Set what a day may cost.", epilog=exit_status_help(STATUSES))
@click.argument("cap")
@click.pass_obj
def cap(context: Context, cap: str) -> None:
    """Set the most that all watching of a day may cost, or lift it. A day is one of UTC.

    At the cap the picture ends as it does without points; what was given back that day counts as not spent.

    \b
      player wallet cap 500/day
      player wallet cap 0.5/day
      player wallet cap none
    """
    wallet = context.account.call("PUT", "/me/wallet/cap", {"daily_cap_millipoints": _millipoints(cap)})
    _show_today(wallet)


def _millipoints(cap: str) -> int | None:
    """Return a cap in millipoints, None for `none`. Raises click.UsageError."""
    from player.terminal.formats import MILLIPOINTS_PER_POINT

    if cap.strip().lower() == "none":
        return None
    match = CAP.fullmatch(cap.strip())
    if match is None:
        raise click.UsageError(
            f"{cap!r} is no daily cap. Write points a day, with up to three decimals: 500/day or 0.5/day. "
            "Or lift the cap: none"
        )
    return int(match[1]) * MILLIPOINTS_PER_POINT + int((match[2] or "").ljust(3, "0"))


def _show(context: Context, as_json: bool) -> None:
    from player.terminal.formats import points, table

    wallet = context.account.call("GET", "/me/wallet")
    if as_json:
        click.echo(json.dumps(wallet, indent=2))
        return
    balance, sessions = wallet["balance_millipoints"], wallet.get("sessions") or []
    click.echo(f"Balance: {points(balance)}")
    _show_today(wallet)
    if not sessions:
        click.echo("Nothing is being watched. See what is on: player streams")
        return
    sentence(_lasts(balance, sessions))
    header = ("STREAM", "SESSION", "POINTS/MIN", "SPENT", "STARTED")
    for line in table(header, [_row(session) for session in sessions], terminal_width(), right=(2, 3), gives_way=(1,)):
        click.echo(line)


def _show_today(wallet: dict[str, Any]) -> None:
    from player.terminal.formats import amount, points, short_amount, time_of_day

    spent, cap, ends = (wallet[name] for name in ("spent_today_millipoints", "daily_cap_millipoints", "day_ends_at_ms"))
    if cap is None:
        sentence(f"Today: {points(spent)} spent, and no daily cap. Set one: player wallet cap 500/day")
        return
    sentence(
        f"Today: {amount(spent)} of {short_amount(cap)} points; the cap starts anew at 00:00 UTC "
        f"({time_of_day(ends)} your time)."
    )
    if spent >= cap:
        sentence("It is reached. Raise it: player wallet cap 500/day, or lift it: player wallet cap none")


def _lasts(balance: int, sessions: list[dict[str, Any]]) -> str:
    from player.terminal.formats import clock, rate

    rates = [session["rate_millipoints_per_minute"] for session in sessions if session["rate_millipoints_per_minute"]]
    if not rates:
        return "What is being watched is free."
    at = f"With {len(rates)} screens on this wallet, at" if len(rates) > 1 else "At"
    return f"{at} {rate(sum(rates))} that lasts {clock(balance * 60 / sum(rates))} beyond what is paid already."


def _row(session: dict[str, Any]) -> list[str]:
    from player.terminal.formats import amount, clock, printable, short_amount

    started_at_ms = session.get("started_at_ms")
    return [
        printable(str(session.get("stream_id") or "")),
        printable(session["session_id"]),
        short_amount(session.get("rate_millipoints_per_minute") or 0),
        amount(session.get("charged_millipoints") or 0),
        f"{clock(time.time() - started_at_ms / 1000)} ago" if started_at_ms else "",
    ]
