"""`player receipt`: what one session cost, and what was served for it."""

import json
import sys
from typing import Any

import click

from player.context import Context
from player.endings import Ending
from player.exit_status import REQUEST_MEANINGS, ExitStatus, exit_status_help
from player.session.playback_api import message_of
from player.statement.session_ledger import SETTLEMENT_KINDS, SessionLedger, fetch_session_ledger
from player.terminal.formats import amount, clock, points, rate, when
from player.terminal.ledger_table import ledger_lines
from player.terminal.output import print_sentence, terminal_width
from player.terminal.settlement import settlement_sentence
from player.terminal.text import printable, wrapped

NAME_WIDTH = 12
BYTES_PER_MB = 1_000_000
STATUSES = {
    ExitStatus.OK: "the lines add up to the server's totals",
    ExitStatus.FAILED: "they do not, or there is no session yet",
    **REQUEST_MEANINGS,
}


@click.command("receipt", epilog=exit_status_help(STATUSES))
@click.argument("session_id", required=False)
@click.option("--lines", "with_lines", is_flag=True, help="List the session's lines of the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@click.pass_obj
def command(context: Context, session_id: str | None, with_lines: bool, as_json: bool) -> None:
    """Show what a session cost, and what was served for it. Without SESSION_ID: your latest session.

    The lines of the ledger are added up here and compared with the server's totals. A difference is reported.
    """
    ledger = fetch_session_ledger(context.account, session_id)
    if as_json:
        click.echo(_as_json(ledger))
    else:
        _show(ledger)
        if with_lines:
            _show_lines(ledger.lines)
    if ledger.differences:
        sys.exit(int(ExitStatus.FAILED))


def _show(ledger: SessionLedger) -> None:
    session = ledger.session
    started_at_ms, ended_at_ms = session["started_at_ms"], session["ended_at_ms"]
    _line("Session", printable(session["session_id"]))
    _line("Stream", printable(session["stream_id"]))
    _line("From", when(started_at_ms))
    if not ended_at_ms:
        _line("To", "it is active")
    else:
        _line("To", f"{when(ended_at_ms)} ({clock((ended_at_ms - started_at_ms) / 1000)})")
        reason = str(session["end_reason"])
        _line("Ended", f"{Ending.of_reason(reason).sentence} ({printable(reason)})")
        if message := message_of(session):
            _line("Message", message)
        _line("Watched", clock(session["watched_ms"] / 1000))
    _line("Rate", rate(session["rate_millipoints_per_minute"]))
    _line("Leases", f"{ledger.leases} bought for {points(-ledger.sum_of('lease'))}")
    for name, kind in (("Given back", "refund"), ("For outages", "outage_credit"), ("Adjusted", "adjustment")):
        if any(line["kind"] == kind for line in ledger.lines):
            _line(name, f"{amount(ledger.sum_of(kind), signed=True)} points")
    if settlement := settlement_sentence(session):
        _line("Settled", settlement)
    _line("Cost", points(ledger.net_millipoints))
    _line("Served", _served(session))
    click.echo("")
    if not ledger.has_totals:
        print_sentence("The session is active. When it has ended, the server returns totals to compare.")
    elif not ledger.differences:
        print_sentence("The lines of the ledger add up to the server's totals.")
    for name, by_lines, by_server in ledger.differences:
        difference = f"{name} is {points(by_lines)} by the lines, and {points(by_server)} by the server"
        print_sentence(f"The lines do not add up: {difference}.")


def _served(session: dict[str, Any]) -> str:
    """Return what the gateway delivered, and the time that was paid for."""
    granted_ms, media_ms, media_bytes = (session.get(name) for name in ("granted_ms", "media_ms", "media_bytes"))
    paid = f" (of {clock(granted_ms / 1000)} granted)" if granted_ms is not None else ""
    if media_ms is None or media_bytes is None:
        return f"not measured yet{paid}"
    return f"{clock(media_ms / 1000)} of media, {media_bytes / BYTES_PER_MB:.1f} MB{paid}"


def _show_lines(lines: list[dict[str, Any]]) -> None:
    click.echo("")
    # Stream and session are the same in all lines, and shown above.
    short = [{**line, "stream_id": None, "session_id": None} for line in lines]
    for text in ledger_lines(short, terminal_width()):
        click.echo(text)


def _as_json(ledger: SessionLedger) -> str:
    return json.dumps(
        {
            "session": ledger.session,
            "leases": ledger.leases,
            "leases_millipoints": -ledger.sum_of("lease"),
            "refund_millipoints": ledger.sum_of("refund"),
            "outage_credit_millipoints": ledger.sum_of("outage_credit"),
            "settlement_millipoints": ledger.sum_of(*SETTLEMENT_KINDS),
            "adjustment_millipoints": ledger.sum_of("adjustment"),
            "net_millipoints": ledger.net_millipoints,
            "adds_up": not ledger.differences if ledger.has_totals else None,
            "lines": ledger.lines,
        },
        indent=2,
    )


def _line(name: str, value: str) -> None:
    first, *more = wrapped(value, terminal_width() - NAME_WIDTH - 1)
    click.echo(f"{name + ':':<{NAME_WIDTH}} {first}")
    for text in more:
        click.echo(f"{'':<{NAME_WIDTH}} {text}")
