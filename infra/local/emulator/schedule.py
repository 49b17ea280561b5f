"""When a scheduled function is due: AWS's `rate(…)` and `cron(…)` expressions, in UTC. Pure."""

import re
from datetime import UTC, datetime, timedelta

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_UNIT = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = dict(
    zip(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), range(1, 13), strict=True)
)
_DAYS = dict(zip(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), range(1, 8), strict=True))
# minute, hour, day of month, month, day of week (1 is Sunday), year
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
_SEARCH = timedelta(days=366)


class ScheduleError(ValueError):
    """The expression is none of AWS's, or uses a part (L, W, #) that is not supported here."""


def next_due(expression: str, after: datetime) -> datetime:
    """The first moment after `after` (aware, any zone); a rate counts from `after`."""
    rate = _RATE.fullmatch(expression)
    if rate:
        return after + int(rate[1]) * _UNIT[rate[2]]
    cron = _CRON.fullmatch(expression)
    if not cron:
        raise ScheduleError(f"{expression!r} is neither rate(<n> minutes|hours|days) nor cron(<six fields>)")
    fields = [_field(text, low, high) for text, (low, high) in zip(cron.groups(), _BOUNDS, strict=True)]
    moment = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    last = moment + _SEARCH
    while moment <= last:
        if not _matches(moment, fields[3:4] + fields[5:], (moment.month, moment.year)):
            moment = (moment + timedelta(days=1)).replace(hour=0, minute=0)
        elif _matches(moment, fields[:3] + fields[4:5], _clock(moment)):
            return moment
        else:
            moment += timedelta(minutes=1)
    raise ScheduleError(f"{expression!r} is not due within a year")


def _clock(moment: datetime) -> tuple[int, ...]:
    return moment.minute, moment.hour, moment.day, moment.isoweekday() % 7 + 1


def _matches(moment: datetime, fields: list[set[int]], values: tuple[int, ...]) -> bool:
    return all(value in allowed for value, allowed in zip(values, fields, strict=True))


def _field(text: str, low: int, high: int) -> set[int]:
    allowed: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first)
            end = _number(last) if dash else (high if step else start)
        if not low <= start <= end <= high or (step and not (step.isdecimal() and int(step) > 0)):
            raise ScheduleError(f"{part!r} is not within {low} to {high}")
        allowed.update(range(start, end + 1, int(step or 1)))
    return allowed


def _number(text: str) -> int:
    value = _MONTHS.get(text) or _DAYS.get(text)
    if value is None and not text.isdecimal():
        raise ScheduleError(f"{text!r} is not supported")
    return value if value is not None else int(text)
