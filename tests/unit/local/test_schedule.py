"""When scheduled functions are due, and that one failing or hanging harms no other."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from chalice import Chalice, Cron, Rate

from infra.local import scheduler
from infra.local.schedule import ScheduleError, next_due

NOW = datetime(2026, 11, 22, 7, 33, 20, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("rate(1 minute)", "2026-11-22T07:34:20"),
        ("rate(5 minutes)", "2026-11-22T07:38:20"),
        ("rate(2 hours)", "2026-11-22T09:33:20"),
        ("rate(1 day)", "2026-11-23T07:33:20"),
        ("cron(0/15 * * * ? *)", "2026-11-22T07:45:00"),
        ("cron(30 4 * * ? *)", "2026-11-23T04:30:00"),
        ("cron(0 0 1 * ? *)", "2026-12-01T00:00:00"),
        ("cron(0 12 ? * MON-FRI *)", "2026-11-23T12:00:00"),
        ("cron(5,35 7-8 ? * 1 *)", "2026-11-22T07:35:00"),
        ("cron(0 0 1 JAN ? 2027)", "2027-01-01T00:00:00"),
    ],
)
def test_next_due(expression, due):
    assert next_due(expression, NOW).isoformat() == due + "+00:00"


@pytest.mark.parametrize(
    "expression",
    ["", "rate(1)", "rate(x minutes)", "cron(* * *)", "cron(61 * * * ? *)", "cron(0 0 L * ? *)", "cron(0 0 31 2 ? *)"],
)
def test_wrong_expressions(expression):
    with pytest.raises(ScheduleError):
        next_due(expression, NOW)


def small_app(calls):
    app = Chalice("small")

    @app.schedule(Rate(1, Rate.MINUTES))
    def first(event):
        calls.append(("first", event.time))
        raise RuntimeError("broken")

    @app.schedule(Cron(0, "*", "*", "*", "?", "*"))
    def second(event):
        calls.append(("second", event.to_dict()["source"]))

    return app


def test_due_functions_run_once_each_and_failures_are_over(caplog):
    calls = []
    jobs = scheduler.jobs(small_app(calls), NOW)
    scheduler.run_due(jobs, NOW)
    assert calls == [("first", "2026-11-22T07:33:20Z"), ("second", "aws.events")]
    assert "first failed" in caplog.text
    scheduler.run_due(jobs, NOW + timedelta(seconds=59))
    assert len(calls) == 2
    # Three minutes missed are one invocation.
    scheduler.run_due(jobs, NOW + timedelta(minutes=3))
    assert [name for name, _ in calls[2:]] == ["first"]


def test_an_invocation_that_hangs_is_ended(monkeypatch, caplog):
    monkeypatch.setattr(scheduler, "INVOCATION_S_MAX", 0.1)

    ends = []

    def hang(event, context):
        try:
            time.sleep(30)
        except Exception:
            time.sleep(30)
        ends.append(event)

    scheduler.run_due([scheduler.Job("hang", "rate(1 minute)", hang, NOW)], NOW)
    assert ends == []
    assert "hang was ended" in caplog.text
