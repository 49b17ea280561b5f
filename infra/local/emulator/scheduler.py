"""Invokes the Chalice app's scheduled functions at their rates: what EventBridge does in AWS. And tends this machine's
old logs.

One at a time, so an invocation never meets another of its kind; each is bounded, and its failure is logged and over.
What was missed while another ran is invoked once, not as often as it was missed.
"""

import logging
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chalice.app import Chalice, ScheduledEventConfig, ScheduleExpression
from chalice.local import LambdaContext

from chalicelib import config
from infra.local.emulator.schedule import next_due
from infra.local.layout import layout_from
from infra.local.processes.log_rotation import tend

INVOCATION_S_MAX = 50
TICK_S = 1.0
FIRST_AFTER = timedelta(seconds=3)

log = logging.getLogger("scheduler")


class InvocationTimeout(BaseException):
    """An invocation took longer than `INVOCATION_S_MAX`. Not an Exception, so that no handler swallows it."""


@dataclass
class Job:
    """A scheduled function and when it is due next."""

    name: str
    expression: str
    invoke: Callable[[Any, Any], Any]
    due: datetime


def jobs(app: Chalice, now: datetime) -> list[Job]:
    """The scheduled functions of an app; all are due first at `now`."""
    found = []
    for source in app.event_sources:
        if isinstance(source, ScheduledEventConfig):
            expression = source.schedule_expression
            text = expression.to_string() if isinstance(expression, ScheduleExpression) else str(expression)
            next_due(text, now)  # A wrong expression shall fail now and not in a while.
            found.append(Job(source.name, text, app.handler_map[source.name], now))
    return found


def run_due(waiting: list[Job], now: datetime) -> None:
    """Invoke what is due, each at most once."""
    for job in waiting:
        if job.due <= now:
            job.due = next_due(job.expression, now)
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


def tend_old_logs(event: Any, context: Any) -> None:
    """Let the logs with addresses in them get no older than addresses are kept."""
    layout = layout_from(os.environ)
    tend(layout.log_dir, config.load().address_days, time.time(), layout.run_dir / "supervisord.pid")


def main() -> None:
    """Run until a signal ends the process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    from app import app

    alive = Path(os.environ["TOLLCAST_RUN_DIR"]) / "scheduler.alive"
    # A little later, so that a platform that is starting up gets there first.
    first = datetime.now(UTC) + FIRST_AFTER
    waiting = [*jobs(app, first), Job("tend_old_logs", "rate(1 hour)", tend_old_logs, first)]
    log.info("scheduled: %s", ", ".join(f"{job.name} {job.expression}" for job in waiting))
    while True:
        alive.touch()
        run_due(waiting, datetime.now(UTC))
        time.sleep(TICK_S)


if __name__ == "__main__":
    main()
