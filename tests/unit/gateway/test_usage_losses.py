"""What a follower lost of its log is stored with its position, and a follower whose gateway stopped leaves."""

import json
import os
from signal import SIGTERM

import pytest

from chalicelib.domain.money.measuring import GIVE_UP_MS, Measurement, measurement
from chalicelib.domain.money.usage import Follower
from chalicelib.ports.common import StoreUnavailable
from gateway.usage import follower as module
from gateway.usage.checkpoint import Checkpoint, read_checkpoint
from gateway.usage.follower import LOG_LAG_MS, UsageFollower
from gateway.usage.lost_ranges import KEEP_MS, RANGES_MAX, with_range
from tests.fakes.money.usage import MemoryUsage
from tests.unit.gateway.log_lines import AT_S, A, RotatedLog, segment

AT_MS = AT_S * 1000


class Lab:
    """A gateway's log and its follower, which may be started again, and a clock."""

    def __init__(self, directory, usage=None):
        self.log = RotatedLog(directory / "access.log")
        self.checkpoint_path = directory / "state.json"
        self.usage = usage or MemoryUsage()
        self.now_ms = AT_MS
        self.gateway_runs = False
        self.running = None

    def start(self):
        if self.running:
            self.running.close()
        self.running = UsageFollower(
            usage=self.usage,
            log_path=self.log.path,
            checkpoint_path=self.checkpoint_path,
            now_ms=lambda: self.now_ms,
            gateway_runs=lambda: self.gateway_runs,
        )
        return self.running

    def follow(self):
        (self.running or self.start()).catch_up()

    def write(self, number, after_s):
        """Write a segment that was sent this long after the start, and set the clock a second later."""
        self.log.write(segment(number, at_s=AT_S + after_s))
        self.now_ms = AT_MS + after_s * 1000 + 1_000

    def rotate_all_away(self):
        for _ in range(self.log.backups + 1):
            self.log.rotate()
            # A file system's clock may tick less often than the test.
            os.utime(self.log.path, ns=(self.log.path.stat().st_mtime_ns + 10**9,) * 2)

    def reports(self):
        return list(self.usage.followers().values())


lab = pytest.fixture(lambda tmp_path: Lab(tmp_path))


def lose(lab, before_s=10, after_s=70):
    """Lose the lines between two times."""
    lab.write(1, before_s)
    lab.follow()
    # A follower that runs has the old file open and reads to its end.
    lab.log.rotate()
    lab.write(2, before_s + 1)
    lab.rotate_all_away()
    lab.write(3, after_s)


LOST = ((AT_MS + 10_000 - LOG_LAG_MS, AT_MS + 70_000 + LOG_LAG_MS),)


@pytest.mark.parametrize("restart", [False, True])
def test_lines_that_were_rotated_away_are_a_range_of_time(lab, restart):
    lose(lab)
    if restart:
        lab.start()
    lab.follow()
    [report] = lab.reports()
    assert (report.lost, report.through_ms) == (LOST, lab.now_ms - LOG_LAG_MS)
    lab.write(4, 90)
    lab.follow()
    assert [each.lost for each in lab.reports()] == [LOST]
    assert lab.usage.rows[A].segments == 3, "the first, and those after the loss"


def test_a_loss_without_a_later_line_lasts_until_now(lab):
    lab.write(1, 10)
    lab.follow()
    lab.log.rotate()
    lab.write(2, 11)
    lab.rotate_all_away()
    lab.now_ms = AT_MS + 100_000
    lab.log.write(b"nginx: no entry\n")
    lab.follow()
    assert [each.lost for each in lab.reports()] == [((AT_MS + 10_000 - LOG_LAG_MS, AT_MS + 100_000 + LOG_LAG_MS),)]


class Crash(BaseException):
    pass


@pytest.mark.parametrize("step", range(1, 9))
def test_no_crash_forgets_a_loss_or_stores_the_position_beyond_it_alone(lab, monkeypatch, step):
    lose(lab)
    seen, steps = [], iter(range(1, 99))

    def stepping(call):
        def wrapper(*arguments, **options):
            if next(steps) == step:
                raise Crash
            result = call(*arguments, **options)
            if next(steps) == step:
                raise Crash
            seen.extend(lab.reports())
            return result

        return wrapper

    with monkeypatch.context() as patch:
        for name in ("add", "mark"):
            patch.setattr(lab.usage, name, stepping(getattr(lab.usage, name)))
        patch.setattr(Checkpoint, "write", stepping(Checkpoint.write))
        with pytest.raises(Crash):
            while True:
                lab.follow()
    lab.start().catch_up()
    [report] = seen_last = lab.reports()
    assert report.lost == LOST
    beyond = [each for each in [*seen, *seen_last] if each.through_ms > AT_MS + 10_000]
    assert beyond and all(each.lost == LOST for each in beyond)


def test_a_loss_waits_for_the_store(lab, monkeypatch):
    lose(lab)
    mark = lab.usage.mark

    def fail(*_, **__):
        raise StoreUnavailable("stub")

    monkeypatch.setattr(lab.usage, "mark", fail)
    with pytest.raises(StoreUnavailable):
        lab.follow()
    monkeypatch.setattr(lab.usage, "mark", mark)
    lab.write(4, 80)
    lab.follow()
    assert [each.lost for each in lab.reports()] == [LOST]


def test_lost_ranges_are_bounded_and_cover_all_that_was_lost():
    ranges = []
    for number in range(100):
        ranges = with_range(ranges, (number * 1_000, number * 1_000 + 10 * (number % 7)))
        assert len(ranges) <= RANGES_MAX
    for number in range(100):
        assert any(first <= number * 1_000 and last >= number * 1_000 for first, last in ranges)
    assert with_range([(1, 5), (7, 9)], (4, 7)) == [(1, 9)]
    assert with_range([(1, 5)], (5 + KEEP_MS, 6 + KEEP_MS)) == [(5 + KEEP_MS, 6 + KEEP_MS)]


def test_a_new_follower_of_a_log_that_was_rotated_may_have_lost_the_day_before(lab):
    lab.write(1, 10)
    lab.follow()
    assert lab.reports()[0].lost == (), "a log from its start"
    lab.running.close()
    lab.running = None
    lab.checkpoint_path.unlink()
    lab.log.rotate()
    lab.write(2, 20)
    lab.follow()
    old, new = sorted(lab.reports(), key=lambda each: each.through_ms)
    until_ms = AT_MS + 10_000 + LOG_LAG_MS
    assert (old.lost, new.lost) == ((), ((until_ms - GIVE_UP_MS, until_ms),))
    found = lab.usage.get(A)
    assert found and (found.media_ms, found.segments) == (4_000, 2), "what both followers read counts once"


def test_a_new_follower_keeps_its_name_from_its_first_report(lab, monkeypatch):
    monkeypatch.setattr(lab.usage, "mark", lambda *_, **__: (_ for _ in ()).throw(Crash))
    with pytest.raises(Crash):
        lab.follow()
    name = read_checkpoint(lab.checkpoint_path).follower
    lab.start()
    monkeypatch.undo()
    lab.follow()
    assert set(lab.usage.followers()) == {name}


def run_until_signal(lab, monkeypatch):
    """Run the follower until its first round is over, and then send it the signal."""
    handlers, follower = {}, lab.start()
    monkeypatch.setattr(module.signal, "signal", handlers.__setitem__)
    catch_up = follower.catch_up

    def first_round():
        catch_up()
        lab.write(9, 30)
        monkeypatch.setattr(follower, "catch_up", catch_up)
        handlers[SIGTERM]()

    monkeypatch.setattr(follower, "catch_up", first_round)
    module.run(follower)
    lab.running = None


def test_a_follower_leaves_after_all_lines_and_is_waited_for_from_its_next_start(lab, monkeypatch):
    run_until_signal(lab, monkeypatch)
    assert lab.usage.followers() == {}
    assert lab.usage.rows[A].segments == 1, "the lines before the signal are added"
    # Another gateway is past the session, this one starts again and cannot catch up.
    ended_ms = lab.now_ms + 7_200_000
    lab.usage.mark("other", ended_ms + 100_000)
    lab.now_ms = ended_ms - 1_000
    monkeypatch.setattr(UsageFollower, "_read", lambda _: (_ for _ in ()).throw(OSError))
    with pytest.raises(OSError):
        lab.follow()
    waits = measurement(ended_ms - 5_000, ended_ms, lab.usage.followers(), ended_ms + 100_000)
    assert waits is Measurement.PENDING
    monkeypatch.undo()
    lab.now_ms = ended_ms + 100_000
    lab.follow()
    found = measurement(ended_ms - 5_000, ended_ms, lab.usage.followers(), ended_ms + 100_000)
    assert found is Measurement.MEASURED


def test_a_follower_that_is_stopped_alone_does_not_leave(lab, monkeypatch):
    lab.gateway_runs = True
    run_until_signal(lab, monkeypatch)
    position = lab.now_ms - LOG_LAG_MS
    assert lab.reports() == [Follower(through_ms=position, reported_at_ms=lab.now_ms, watching=1)]


def test_a_follower_that_could_not_add_everything_does_not_leave(lab, monkeypatch):
    add = lab.usage.add
    failing = iter([False, False, True])

    def fail_last(*arguments, **options):
        if next(failing):
            raise StoreUnavailable("stub")
        return add(*arguments, **options)

    lab.write(1, 10)
    monkeypatch.setattr(lab.usage, "add", fail_last)
    monkeypatch.setattr(lab.usage, "count", lambda *_, **__: True)
    run_until_signal(lab, monkeypatch)
    assert len(lab.reports()) == 1


def test_what_was_lost_is_still_known_after_leaving(lab, monkeypatch):
    lose(lab)
    run_until_signal(lab, monkeypatch)
    assert lab.reports() == [Follower(through_ms=0, lost=LOST)]


def test_a_checkpoint_of_the_version_before_is_continued(lab):
    lab.write(1, 10)
    lab.follow()
    values = json.loads(lab.checkpoint_path.read_text())
    at_ms, spans, stream_id, _ = values["seen"][A]
    values |= {"format": 2, "seen": {A: [at_ms, [span[:3] for span in spans], stream_id]}}
    for name in ("lost", "spans", "last_at_ms"):
        del values[name]
    lab.checkpoint_path.write_text(json.dumps(values))
    lab.start()
    lab.write(1, 20)
    lab.write(2, 20)
    lab.follow()
    assert lab.usage.rows[A].media_ms == 4_000 and len(lab.reports()) == 1
