"""`player wallet`: the balance, the daily cap, the active sessions, and where to buy points."""

import json
import re
import time
import webbrowser
from typing import Any

import click

from player.context import Context
from player.errors import CliError
from player.exit_status import REQUEST_MEANINGS, ExitStatus, exit_status_help
from player.session.playback_api import Funds
from player.terminal.display import has_display
from player.terminal.formats import MILLIPOINTS_PER_POINT, amount, clock, points, rate, short_amount, time_of_day
from player.terminal.notices import debt_field, top_up_line
from player.terminal.output import print_sentence, terminal_width
from player.terminal.tables import table
from player.terminal.text import printable

CAP = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?(?:/day)?")
STATUSES = {ExitStatus.OK: "shown or set", **REQUEST_MEANINGS}
TOP_UP_STATUSES = {
    ExitStatus.OK: "printed, and opened where there is a display",
    **REQUEST_MEANINGS,
    ExitStatus.REFUSED: "not logged in, or the server has no page to buy points",
}


@click.group(
    "wallet",
    invoke_without_command=True,
    epilog=exit_status_help(STATUSES),
)
@click.option("--json", "as_json", is_flag=True, help="Print the wallet as JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show the balance, today's cost, the active sessions, and how long the points last."""
    if ctx.invoked_subcommand is None:
        _show(ctx.obj, as_json)
    elif as_json:
        raise click.UsageError("--json works with `player wallet` only.")


@command.command("cap", short_help="Set the daily cap.", epilog=exit_status_help(STATUSES))
@click.argument("cap")
@click.pass_obj
def cap(context: Context, cap: str) -> None:
    """Set the most that a day (UTC) may cost, or remove the limit.

    At the cap, sessions end as they do without points. Only what was fetched already, up to 8 s, may pass it, where two
    screens spend the last of it. Refunds of the day count as not spent.

    \b
      player wallet cap 500/day
      player wallet cap 0.5/day
      player wallet cap none
    """
    wallet = context.account.call("PUT", "/me/wallet/cap", {"daily_cap_millipoints": _millipoints(cap)})
    _show_today(wallet)


@command.command("top-up", short_help="Buy points: open the page for it.", epilog=exit_status_help(TOP_UP_STATUSES))
@click.option("--print", "only_print", is_flag=True, help="Only print the address.")
@click.pass_obj
def top_up(context: Context, only_print: bool) -> None:
    """Print the address of the page where you buy points, and open it in a browser.

    Without a display it is only printed. A play that waits for points (player play --wait) goes on by itself.
    """
    address = Funds.from_fields(context.account.call("GET", "/me/wallet")).top_up_url
    if address is None:
        raise CliError("This server has no page to buy points.", "Ask the operator for points.", ExitStatus.REFUSED)
    click.echo(address)
    if only_print or not has_display():
        return
    if not webbrowser.open(address):
        click.echo("No browser could be opened. Open the address yourself.", err=True)


def _millipoints(cap: str) -> int | None:
    """Return a cap in millipoints, None for `none`. Raises click.UsageError."""
    if cap.strip().lower() == "none":
        return None
    match = CAP.fullmatch(cap.strip())
    if match is None:
        raise click.UsageError(
            f"{cap!r} is not a daily cap. Write points a day, with up to three decimals: 500/day or 0.5/day. "
            "Or remove the cap: none"
        )
    return int(match[1]) * MILLIPOINTS_PER_POINT + int((match[2] or "").ljust(3, "0"))


def _show(context: Context, as_json: bool) -> None:
    wallet = context.account.call("GET", "/me/wallet")
    if as_json:
        click.echo(json.dumps(wallet, indent=2))
        return
    balance, sessions = wallet["balance_millipoints"], wallet.get("sessions") or []
    click.echo(f"Balance: {points(balance)}")
    funds = Funds.from_fields(wallet)
    if funds.debt_millipoints:
        print_sentence(f"Open: {debt_field(funds.debt_millipoints)}.")
    _show_today(wallet)
    if not funds.covers_debt:
        print_sentence("To watch, top up: player wallet top-up" if funds.top_up_url else top_up_line(None))
    if not sessions:
        click.echo("You have no active session. See what is on: player streams")
        return
    print_sentence(_lasts(balance, sessions))
    header = ("STREAM", "SESSION", "POINTS/MIN", "SPENT", "STARTED")
    for line in table(
        header, [_row(session) for session in sessions], terminal_width(), right=(2, 3), shrink_first=(1,)
    ):
        click.echo(line)


def _show_today(wallet: dict[str, Any]) -> None:
    spent, cap, ends = (wallet[name] for name in ("spent_today_millipoints", "daily_cap_millipoints", "day_ends_at_ms"))
    if cap is None:
        print_sentence(f"Today: {points(spent)} spent, and no daily cap. Set one: player wallet cap 500/day")
        return
    print_sentence(
        f"Today: {amount(spent)} of {short_amount(cap)} points; the cap resets at 00:00 UTC "
        f"({time_of_day(ends)} your time)."
    )
    if spent >= cap:
        print_sentence("It is reached. Raise it: player wallet cap 500/day, or remove it: player wallet cap none")


def _lasts(balance: int, sessions: list[dict[str, Any]]) -> str:
    rates = [session["rate_millipoints_per_minute"] for session in sessions if session["rate_millipoints_per_minute"]]
    if not rates:
        return "Your sessions are free."
    prefix = f"With {len(rates)} screens on this wallet, at" if len(rates) > 1 else "At"
    return f"{prefix} {rate(sum(rates))} that lasts {clock(balance * 60 / sum(rates))} after the paid time."


def _row(session: dict[str, Any]) -> list[str]:
    started_at_ms = session.get("started_at_ms")
    return [
        printable(str(session.get("stream_id") or "")),
        printable(session["session_id"]),
        short_amount(session.get("rate_millipoints_per_minute") or 0),
        amount(session.get("charged_millipoints") or 0),
        f"{clock(time.time() - started_at_ms / 1000)} ago" if started_at_ms else "",
    ]
