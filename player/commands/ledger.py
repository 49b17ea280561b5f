"""`player ledger`: every change of the balance, newest first."""

import json
from typing import Any

import click

from player.context import Context, terminal_width


@click.command("ledger", short_help="What was paid and received.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many entries.")
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
@click.pass_obj
def command(context: Context, limit: int, as_json: bool) -> None:
    """Show what was paid and received, newest first."""
    from player.formats import table
    from player.listing import items

    found = items(context.account, "/me/ledger", limit)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo("Nothing has been paid or received yet.")
        return
    header = ("NO", "WHEN", "WHAT", "POINTS", "FOR")
    for line in table(header, [_row(entry) for entry in found], terminal_width(), right=(0, 3)):
        click.echo(line)


def _row(entry: dict[str, Any]) -> list[str]:
    from player.formats import amount, printable, when

    return [
        str(entry["version"]),
        when(entry["at_ms"]),
        printable(entry["kind"]),
        amount(entry["delta_millipoints"], signed=True),
        printable(_subject(entry)),
    ]


def _subject(entry: dict[str, Any]) -> str:
    if entry.get("payment_id"):
        note = f": {entry['note']}" if entry.get("note") else ""
        return f"payment {entry['payment_id']}{note}"
    words = [str(entry.get("stream_id") or ""), str(entry.get("session_id") or "")]
    if entry.get("seq"):
        words.append(f"lease {entry['seq']}")
    return " ".join(word for word in words if word)
