"""Types of arguments: points, days, and users by email or id."""

import re
import time
from datetime import datetime
from urllib.parse import urlencode

import click

from player.terminal.durations import duration_s
from player.terminal.formats import MILLIPOINTS_PER_POINT
from tollcast_admin.context import AdminContext

SECONDS_PER_MINUTE = 60
AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?")


class Points(click.ParamType[int]):
    """An amount in points, as millipoints."""

    name = "points"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the millipoints. Raise click.BadParameter."""
        match = AMOUNT.fullmatch(str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no amount. Write points with up to three decimals: 100 or 0.5", param, ctx)
        return int(match[1]) * MILLIPOINTS_PER_POINT + int((match[2] or "").ljust(3, "0"))


class Minutes(click.ParamType[int]):
    """A duration as whole minutes: 30m, 2h."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the minutes. Raise click.BadParameter."""
        if isinstance(value, int):
            return value
        seconds = duration_s(str(value))
        if seconds is None or seconds < SECONDS_PER_MINUTE or seconds % SECONDS_PER_MINUTE:
            self.fail(f"{value!r} is no time of whole minutes. Write 30m or 2h", param, ctx)
        return seconds // SECONDS_PER_MINUTE


class Moment(click.ParamType[int]):
    """A time, in milliseconds of the epoch: a local date or time of day, or how long ago."""

    name = "when"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds. Raise click.BadParameter."""
        if isinstance(value, int):
            return value
        seconds = duration_s(str(value))
        if seconds is not None:
            return int((time.time() - seconds) * 1000)
        try:
            return int(datetime.fromisoformat(str(value)).timestamp() * 1000)
        except ValueError:
            self.fail(f"{value!r} is no time. Write 2026-01-31, 2026-01-31T18:00, or 2h for two hours ago", param, ctx)


def user_id_of(context: AdminContext, user: str) -> str:
    """Return the id of a user who is named by email or id. Raises the errors of Account.call."""
    if "@" not in user:
        return user
    answer = context.account.call("GET", f"/users/lookup?{urlencode({'email': user})}")
    return str(answer["user_id"])
