import json

import pytest

from worker.issues.delivery_rules import SPEED_MIN, SPEED_STAYS
from worker.transcoding.repairs import RunRepairs
from worker.transcoding.reporter import SPEED_WINDOW_S, Reporter


class Run:
    """A run at a frame rate. It looks at the clock every 50 ms, as the real one, and `speed` is against the clock."""

    def __init__(self, rate: float) -> None:
        self.looks, self.out_us, self._made, self._rate = 0, 0, 0.0, rate
        self.reporter = Reporter(RunRepairs(), lambda: self.looks / 20)

    def make(self, for_s: float, speed: float = 1.0) -> None:
        for _ in range(round(for_s / 0.05)):
            self.looks += 1
            self._made += 0.05 * self._rate * speed
            self.out_us = round(int(self._made) / self._rate * 1e6)
            self.reporter.report(self.out_us)


@pytest.fixture
def speeds(capsys: pytest.CaptureFixture[str]):
    return lambda: [json.loads(line)["speed"] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("rate", [23.976, 24, 25, 29.97, 30, 50, 60, 12.5])
def test_the_speed_of_a_run_that_keeps_up_closes_an_issue(speeds, rate: float) -> None:
    run = Run(rate)
    run.make(40)
    found = speeds()
    assert len(found) == 40
    assert min(found[round(SPEED_WINDOW_S) :]) >= SPEED_STAYS, found


def test_a_slow_run_is_slow_after_the_window_and_fast_again_after_it(speeds) -> None:
    run = Run(25)
    run.make(20)
    run.make(20, speed=0.5)
    run.make(20, speed=1.0)
    found = speeds()
    assert all(speed < SPEED_MIN for speed in found[22:40]), found
    assert found[25:39] == pytest.approx([0.5] * 14, abs=0.02)
    assert all(speed >= SPEED_STAYS for speed in found[46:]), found


def test_the_last_line_is_written_at_once(speeds) -> None:
    run = Run(25)
    run.make(1.0)
    run.reporter.report(run.out_us + 40_000, at_once=True)
    assert len(speeds()) == 2
