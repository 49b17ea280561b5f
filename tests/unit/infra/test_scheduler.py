"""Scheduled functions: their intervals, and that one which fails or hangs does not stop the others."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from chalice import Chalice, Cron, Rate

from infra.local.emulator import scheduler
from infra.local.emulator.scheduler import ScheduleError, interval_of

NOW = datetime(2026, 11, 22, 7, 33, 20, tzinfo=UTC)


def test_rates_have_intervals_and_other_expressions_are_rejected_also_at_the_start():
    minutes = {"rate(1 minute)": 1, "rate(5 minutes)": 5, "rate(2 hours)": 120, "rate(1 day)": 24 * 60}
    assert {rate: interval_of(rate) for rate in minutes} == {k: timedelta(minutes=n) for k, n in minutes.items()}
    for expression in ("", "rate(1)", "rate(x minutes)", "rate(1 minute) ", "cron(0/15 * * * ? *)"):
        with pytest.raises(ScheduleError):
            pytest.fail(str(interval_of(expression)))
    app = Chalice("small")
    app.schedule(Cron(0, "*", "*", "*", "?", "*"))(lambda event: None)
    with pytest.raises(ScheduleError):
        scheduler.jobs(app, NOW)


def small_app(calls):
    app = Chalice("small")

    @app.schedule(Rate(1, Rate.MINUTES))
    def first(event):
        calls.append(("first", event.time))
        raise RuntimeError("broken")

    @app.schedule(Rate(1, Rate.HOURS))
    def second(event):
        calls.append(("second", event.to_dict()["source"]))

    return app


def test_due_functions_run_once_each_and_a_failure_is_logged(caplog):
    calls = []
    jobs = scheduler.jobs(small_app(calls), NOW)
    scheduler.run_due(jobs, NOW)
    assert calls == [("first", "2026-11-22T07:33:20Z"), ("second", "aws.events")] and "first failed" in caplog.text
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

    scheduler.run_due([scheduler.Job("hang", timedelta(minutes=1), hang, NOW)], NOW)
    assert ends == [] and "hang was ended" in caplog.text
