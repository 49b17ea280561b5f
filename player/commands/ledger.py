"""`player ledger`: the changes of the balance, newest first; `--export` saves them as a statement."""

import json
from pathlib import Path
from typing import Any

import click

from player.auth.paging import items
from player.context import Context
from player.exit_status import REQUEST_MEANINGS, ExitStatus, exit_status_help
from player.statement.export import already_exists, fetch, save
from player.terminal.formats import points
from player.terminal.ledger_table import ledger_lines
from player.terminal.output import print_sentence, terminal_width

FORMATS = ("json", "csv")
STATUSES = {
    ExitStatus.OK: "shown or saved",
    ExitStatus.FAILED: "FILE already exists, or cannot be written",
    **REQUEST_MEANINGS,
}


@click.command("ledger", epilog=exit_status_help(STATUSES))
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many entries.")
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
@click.option("--export", "file", metavar="FILE", help="Save the whole ledger as FILE.json or FILE.csv; `-` prints it.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="The format for `--export -`.")
@click.option("--after", type=click.IntRange(min=0), metavar="NO", help="Save only the entries after this number.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.pass_obj
def command(
    context: Context, limit: int, as_json: bool, file: str | None, form: str | None, after: int | None, force: bool
) -> None:
    """Show what was paid and received, newest first. On a wide terminal each lease names its session.

    With --export, save the whole ledger as a statement that `player verify` can check without the server.

    \b
      player ledger --limit 100
      player ledger --export bill.json
      player ledger --export - --format csv
    """
    if file is not None:
        if as_json:
            raise click.UsageError("--export takes the format from the file name: --export FILE.json")
        _export(context, file, form, after or 0, force)
        return
    if form or force or after is not None:
        raise click.UsageError("--format, --after and --force go with --export FILE.")
    _show(context, limit, as_json)


def _show(context: Context, limit: int, as_json: bool) -> None:
    entries = items(context.account, "/me/ledger", limit)
    if as_json:
        click.echo(json.dumps(entries, indent=2))
        return
    if not entries:
        click.echo("Nothing has been paid or received yet.")
        return
    for line in ledger_lines(entries, terminal_width()):
        click.echo(line)


def _export(context: Context, file: str, form: str | None, after: int, force: bool) -> None:
    path = Path(file)
    chosen = form or path.suffix.lower().removeprefix(".")
    if chosen not in FORMATS:
        raise click.UsageError(
            f"{file!r} does not show the format. Name it FILE.json or FILE.csv, or add --format json or --format csv."
        )
    if file == "-":
        export = fetch(context.account, chosen, after)
        click.echo(export.text.encode(), nl=False)
    else:
        if path.exists() and not force:
            raise already_exists(path)
        export = fetch(context.account, chosen, after)
        save(path, export.text, force)
    _report(file, export.lines, export.opening.version, export.end, export.is_partial)


def _report(file: str, lines: int, before: int, end: Any, is_partial: bool) -> None:
    """Report what was saved. Use stderr when the statement goes to stdout."""
    err = file == "-"
    place = "" if file == "-" else f" in {file}"
    versions = f"versions {before + 1} to {end.version}" if lines else f"nothing after version {before}"
    print_sentence(f"Saved{place}: {lines} lines, {versions}.", err=err)
    click.echo(f"Balance:   {points(end.balance_millipoints)}", err=err)
    click.echo(f"Last hash: {end.hash}", err=err)
    if is_partial:
        print_sentence(f"The file is full. Save the rest in another one, with --after {end.version}", err=err)
    elif file != "-":
        print_sentence(f"Check it at any time: player verify {file}", err=err)
