"""Scheduled functions and saves of the emulator: one that fails or hangs does not stop the others."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from chalice import Chalice, Cron, Rate

from infra.local.emulator import scheduler
from infra.local.emulator.ministack import saving
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


def test_a_late_run_does_not_delay_the_later_ones():
    calls = []
    jobs = scheduler.jobs(small_app(calls), NOW)
    # Each run begins half a second late. Its job stays due at the full minutes.
    for minute in range(5):
        scheduler.run_due(jobs, NOW + timedelta(minutes=minute, seconds=0.5))
    assert [name for name, _ in calls].count("first") == 5
    assert jobs[0].due == NOW + timedelta(minutes=5)


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


async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()


async def live_until(happened, save):
    """Run the app with a save every 10 ms, and shut it down when the event has happened."""
    events = asyncio.Queue()
    await events.put({"type": "lifespan.startup"})

    async def send(message):
        pass

    life = asyncio.create_task(saving(app, save, 0.01)({"type": "lifespan"}, events.get, send))
    await asyncio.wait_for(happened.wait(), 30)
    await events.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 30)


def test_a_failed_save_is_logged_and_the_next_one_runs(caplog):
    saves, failure, saved = [], OSError(28, "No space left on device"), asyncio.Event()

    async def save():
        saves.append(1)
        if len(saves) < 3:
            raise failure
        saved.set()

    asyncio.run(live_until(saved, save))
    assert [record.exc_info[1] for record in caplog.records] == [failure] * 2


def test_a_shutdown_stops_the_saving():
    began = asyncio.Event()

    async def save():
        began.set()
        await asyncio.sleep(60)

    asyncio.run(live_until(began, save))
