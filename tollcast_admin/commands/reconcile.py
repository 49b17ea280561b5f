"""`tollcast-admin reconcile`: what was served against what was paid."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import click

from player.http.paths import path_of
from player.terminal.formats import points
from player.terminal.output import print_sentence, terminal_width
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column, column_table
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import bytes_of, duration_of, points_of, text_of, when_of
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import ListView, list_options, show_list

AMOUNTS = {
    "Leases": "lease",
    "Given back": "refund",
    "Outages": "outage_credit",
    "Fetched ahead": "served_ahead",
    "Not served": "unserved_credit",
    "Adjustments": "adjustment",
    "Net": "net",
    "Open": "debt",
    "Drift": "drift",
}


def _drift(item: dict[str, object]) -> str:
    drift_ms = item["drift_ms"]
    return f"{drift_ms / 1000:+.1f} s" if isinstance(drift_ms, int) else "-"


COLUMNS = (
    Column("SESSION", lambda each: each["session_id"]),
    Column("USER", lambda each: each["user_id"], rank=2),
    Column("STREAM", lambda each: each["stream_id"], cells_min=8, rank=4),
    Column("RESULT", lambda each: each["reason"]),
    Column("NET", lambda each: points_of(each["net_millipoints"]), is_right=True),
    Column("PAID", lambda each: duration_of(each["paid_ms"]), is_right=True),
    Column("SERVED", lambda each: duration_of(each["media_ms"]), is_right=True),
    Column("DRIFT", _drift, is_right=True),
    Column("END", lambda each: each["end_reason"], rank=3),
    Column("CUT-OFF MS", lambda each: text_of(each["cut_off_ms"]), is_right=True, rank=5),
    Column("ENDED", lambda each: when_of(each["ended_at_ms"]), rank=1),
)


TOTALS = (
    Column("PERIOD", lambda each: each["period"] + ("" if each["is_over"] else " …")),
    Column("SESSIONS", lambda each: str(each["sessions"]), is_right=True),
    Column("COST", lambda each: points_of(each["net_millipoints"]), is_right=True),
    Column("PAYMENTS", lambda each: str(each["payments"]), is_right=True, rank=1),
    Column("RECEIVED", lambda each: points_of(each["credit_millipoints"]), is_right=True),
    Column("TAKEN", lambda each: points_of(each["removal_millipoints"]), is_right=True, rank=3),
    Column("REVERSED", lambda each: points_of(each["reversal_millipoints"]), is_right=True, rank=2),
    Column("OPEN", lambda each: points_of(each["debt_millipoints"]), is_right=True, rank=4),
    Column("LEDGER", lambda each: points_of(each["ledger_millipoints"]), is_right=True),
)


@click.group("reconcile")
def command() -> None:
    """Compare what was served with what was paid."""


@command.command("day", epilog=STATUSES)
@click.argument("day", required=False)
@json_option
@click.pass_obj
def day_totals(context: AdminContext, day: str | None, json_fields: str | None) -> None:
    """Show the sums of a UTC day, by default of today: sessions, points, and media.

    \b
      tollcast-admin reconcile day
      tollcast-admin reconcile day 2026-01-31
    """
    totals = context.account.call("GET", path_of("reconciliation", day or datetime.now(UTC).strftime("%Y-%m-%d")))
    if json_fields is not None:
        click.echo(json_text(totals, json_fields))
        return
    sessions = f"{totals['sessions']}: {totals['disagreeing']} disagree, {totals['not_measured']} not measured"
    fields = [
        ("Day", f"{totals['day']} (UTC)" + ("" if totals["day_over"] else ", not over yet")),
        ("Sessions", sessions),
        *((label, points(totals[f"{name}_millipoints"])) for label, name in AMOUNTS.items()),
        ("Paid time", duration_of(totals["paid_ms"])),
        ("Served", f"{duration_of(totals['media_ms'])}, {bytes_of(totals['media_bytes'])}"),
        ("By gateways", f"{duration_of(totals['gateway_media_ms'])}, {bytes_of(totals['gateway_media_bytes'])}"),
    ]
    for line in field_lines(fields, terminal_width()):
        click.echo(line)
    if not totals["all_added_up"]:
        print_sentence("The day has more sessions than are summed.")
    if totals["disagreeing"]:
        print_sentence(f"\nSee which: tollcast-admin reconcile sessions --day {totals['day']} --disagreeing")


@command.command("totals", epilog=STATUSES)
@click.option("--by", type=click.Choice(("day", "month")), default="day", show_default=True, help="One line for each.")
@click.option("--from", "from_day", metavar="DAY", help="The first UTC day, 2026-01-31.")
@click.option("--to", "to_day", metavar="DAY", help="The last UTC day, by default today.")
@json_option
@click.pass_obj
def money_totals(
    context: AdminContext, by: str, from_day: str | None, to_day: str | None, json_fields: str | None
) -> None:
    """Show what sessions cost and payments moved, in points, by day or month.

    Sessions that go on are not in it, and neither are days without any of both.

    \b
      tollcast-admin reconcile totals --by month
      tollcast-admin reconcile totals --from 2026-01-01 --to 2026-01-31 --json period,net_millipoints
    """
    query = {"by": by, **({"from": from_day} if from_day else {}), **({"to": to_day} if to_day else {})}
    answer = context.account.call("GET", f"/money/totals?{urlencode(query)}")
    if json_fields is not None:
        click.echo(json_text(answer["periods"], json_fields))
        return
    # Days without money would hide the others.
    moved = [each for each in answer["periods"] if any(each[name] for name in answer["total"])]
    rows = [*moved, {**answer["total"], "period": "all", "is_over": True}]
    for line in column_table(TOTALS, rows, terminal_width()):
        click.echo(line)


@command.command("sessions", epilog=STATUSES)
@click.option("--day", metavar="DAY", help="The UTC day of their end, 2026-01-31. By default today.")
@click.option("--disagreeing/--agreeing", default=None, help="Only those that disagree, or only those that agree.")
@list_options
@click.pass_obj
def list_sessions(
    context: AdminContext, day: str | None, disagreeing: bool | None, limit: int, json_fields: str | None
) -> None:
    """List the sessions that ended on a day, with what they paid for and what they were served.

    Points are given back with: tollcast-admin wallets adjust SESSION_ID POINTS

    \b
      tollcast-admin reconcile sessions --disagreeing
      tollcast-admin reconcile sessions --day 2026-01-31 --json session_id,reason
    """
    filters = {"day": day, "disagreeing": disagreeing}
    empty = "No such session yet. They are reconciled some minutes after their end."
    show_list(context, ListView("/reconciliation", COLUMNS, empty, filters), limit, json_fields)
