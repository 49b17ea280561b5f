"""Invoke the Chalice app's scheduled functions at their rates, as EventBridge does in AWS, and rotate old logs.

Jobs run one at a time, so an invocation never meets another of its kind. Each has a time limit, and its failure is
logged. A job that was due several times while another ran is invoked once.
"""

import logging
import os
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalice.app import Chalice, ScheduledEventConfig, ScheduleExpression
from chalice.local import LambdaContext

from chalicelib import config
from infra.local.layout import layout_from
from infra.local.processes.log_rotation import rotate_logs

INVOCATION_S_MAX = 50
TICK_S = 1.0
FIRST_AFTER = timedelta(seconds=3)
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")

log = logging.getLogger("scheduler")


class ScheduleError(ValueError):
    """A function is scheduled by an expression that is not a rate."""


class InvocationTimeout(BaseException):
    """An invocation took longer than `INVOCATION_S_MAX`. Not an Exception, so that no handler swallows it."""


@dataclass
class Job:
    """A scheduled function, and when it is due next."""

    name: str
    interval: timedelta
    invoke: Callable[[Any, Any], Any]
    due: datetime


def interval_of(expression: str) -> timedelta:
    """Return the interval of AWS's `rate(…)`. Raise `ScheduleError` for any other expression."""
    rate = _RATE.fullmatch(expression)
    if rate is None:
        raise ScheduleError(f"{expression!r} is not rate(<n> minutes|hours|days), the only form that is supported here")
    return timedelta(**{rate[2] + "s": int(rate[1])})


def jobs(app: Chalice, now: datetime) -> list[Job]:
    """Return the scheduled functions of an app. All are due first at `now`."""
    found = []
    for source in app.event_sources:
        if isinstance(source, ScheduledEventConfig):
            expression = source.schedule_expression
            text = expression.to_string() if isinstance(expression, ScheduleExpression) else str(expression)
            found.append(Job(source.name, interval_of(text), app.handler_map[source.name], now))
    return found


def run_due(scheduled: list[Job], now: datetime) -> None:
    """Invoke each job that is due, once."""
    for job in scheduled:
        if job.due <= now:
            # From one due time to the next, or each delay would shift all later ones.
            following = job.due + job.interval
            job.due = following if following > now else now + job.interval
            _invoke(job, now)


def _invoke(job: Job, now: datetime) -> None:
    began = time.monotonic()
    try:
        with _bounded(INVOCATION_S_MAX):
            job.invoke(_event(job.name, now), LambdaContext(job.name, 512, INVOCATION_S_MAX * 1000))
    except InvocationTimeout:
        log.error("%s was ended after %d s", job.name, INVOCATION_S_MAX)
    except Exception:
        log.exception("%s failed", job.name)
    else:
        log.info("%s took %.0f ms", job.name, (time.monotonic() - began) * 1000)


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    def over(*_: object) -> None:
        raise InvocationTimeout

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _event(name: str, now: datetime) -> dict[str, Any]:
    region, account = os.environ.get("AWS_REGION", "us-east-1"), "000000000000"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:events:{region}:{account}:rule/{name}"],
        "detail": {},
    }


def rotate_old_logs(event: Any, context: Any) -> None:
    """Keep the logs that contain addresses no longer than addresses may be kept."""
    layout = layout_from(os.environ)
    rotate_logs(layout.log_dir, config.load().address_days, time.time(), layout.run_dir / "supervisord.pid")


def main() -> None:
    """Invoke jobs until a signal ends the process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    from app import app

    alive = layout_from(os.environ).run_dir / "scheduler.alive"
    # The delay leaves the processors to the parts of a platform that is starting.
    first = datetime.now(UTC) + FIRST_AFTER
    scheduled = [*jobs(app, first), Job("rotate_old_logs", timedelta(hours=1), rotate_old_logs, first)]
    log.info("scheduled: %s", ", ".join(f"{job.name} every {job.interval}" for job in scheduled))
    while True:
        alive.touch()
        run_due(scheduled, datetime.now(UTC))
        time.sleep(TICK_S)


if __name__ == "__main__":
    main()
