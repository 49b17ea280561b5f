"""`player receipt`: what one session cost, line by line, and what was served for it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from player.context import Context, sentence, terminal_width
from player.outcome import ASKING, ExitStatus, exit_status_help

if TYPE_CHECKING:
    from player.statement.session_ledger import SessionBill

NAME_WIDTH = 12
BYTES_PER_MB = 1_000_000
STATUSES = {
    ExitStatus.OK: "the lines add up to the server's totals",
    ExitStatus.FAILED: "they do not, or nothing was watched yet",
    **ASKING,
}


@click.command("receipt", short_help="What one session cost, checked.", epilog=exit_status_help(STATUSES))
@click.argument("session_id", required=False)
@click.option("--lines", "with_lines", is_flag=True, help="List the lines of the ledger that it is made of.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@click.pass_obj
def command(context: Context, session_id: str | None, with_lines: bool, as_json: bool) -> None:
    """Show what a session cost, and what was served for it. Without SESSION_ID: your latest session.

    The lines of the ledger are added up here and compared with the server's totals; a difference is said.
    """
    from player.statement.session_ledger import fetch_bill

    bill = fetch_bill(context.account, session_id)
    if as_json:
        click.echo(_as_json(bill))
    else:
        _show(bill)
        if with_lines:
            _show_lines(bill.lines)
    if bill.differences:
        sys.exit(int(ExitStatus.FAILED))


def _show(bill: SessionBill) -> None:
    from player.terminal.formats import amount, clock, points, printable, rate, when

    session = bill.session
    started, ended = session["started_at_ms"], session["ended_at_ms"]
    _line("Session", printable(session["session_id"]))
    _line("Stream", printable(session["stream_id"]))
    _line("From", when(started))
    _line("To", f"{when(ended)} ({clock((ended - started) / 1000)})" if ended else "it is being watched")
    if ended:
        _line("Ended", _end_reason(str(session["end_reason"])))
        _line("Watched", clock(session["watched_ms"] / 1000))
    _line("Rate", rate(session["rate_millipoints_per_minute"]))
    _line("Leases", f"{bill.leases} bought for {points(-bill.sum_of('lease'))}")
    for name, kind in (("Given back", "refund"), ("For outages", "outage_credit"), ("Adjusted", "adjustment")):
        if any(line["kind"] == kind for line in bill.lines):
            _line(name, f"{amount(bill.sum_of(kind), signed=True)} points")
    _line("Cost", points(bill.net_millipoints))
    _line("Served", _served(session))
    click.echo("")
    if not bill.has_totals:
        sentence("The server tells its totals when the session has ended; until then there is nothing to compare.")
    elif not bill.differences:
        sentence("The lines of the ledger add up to the server's totals.")
    for name, ours, servers in bill.differences:
        sentence(
            f"The lines do not add up: {name} is {points(ours)} by the lines, and {points(servers)} by the server."
        )


def _end_reason(reason: str) -> str:
    from player.outcome import Ending
    from player.terminal.formats import printable

    return f"{Ending.of_reason(reason).sentence} ({printable(reason)})"


def _served(session: dict[str, Any]) -> str:
    """What the gateway counted, beside the time that was paid for."""
    from player.terminal.formats import clock

    granted, media_ms, media_bytes = (session.get(name) for name in ("granted_ms", "media_ms", "media_bytes"))
    paid = f" (of {clock(granted / 1000)} granted)" if granted is not None else ""
    if media_ms is None or media_bytes is None:
        return f"not measured yet{paid}"
    return f"{clock(media_ms / 1000)} of media, {media_bytes / BYTES_PER_MB:.1f} MB{paid}"


def _show_lines(lines: list[dict[str, Any]]) -> None:
    from player.terminal.ledger_table import ledger_lines

    click.echo("")
    # Stream and session are the same in all lines, and stand above.
    bare = [{**line, "stream_id": None, "session_id": None} for line in lines]
    for text in ledger_lines(bare, terminal_width()):
        click.echo(text)


def _as_json(bill: SessionBill) -> str:
    return json.dumps(
        {
            "session": bill.session,
            "leases": bill.leases,
            "leases_millipoints": -bill.sum_of("lease"),
            "refund_millipoints": bill.sum_of("refund"),
            "outage_credit_millipoints": bill.sum_of("outage_credit"),
            "adjustment_millipoints": bill.sum_of("adjustment"),
            "net_millipoints": bill.net_millipoints,
            "adds_up": not bill.differences if bill.has_totals else None,
            "lines": bill.lines,
        },
        indent=2,
    )


def _line(name: str, value: str) -> None:
    from player.terminal.formats import wrapped

    first, *more = wrapped(value, terminal_width() - NAME_WIDTH - 1)
    click.echo(f"{name + ':':<{NAME_WIDTH}} {first}")
    for text in more:
        click.echo(f"{'':<{NAME_WIDTH}} {text}")
