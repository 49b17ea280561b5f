"""The run that viewers can play, as reported to the supervising thread: it makes a stream count as live."""

import threading
from dataclasses import replace

from tests.fakes.simple import SetClock
from tests.unit.worker.parts import hold
from tests.unit.worker.publishing.owner import Bucket, Owner
from worker.publishing.publication import Publication
from worker.publishing.throughput import ThroughputStats


def publication(bucket: Bucket, owner: Owner) -> Publication:
    """Return a publication whose steps are made here and not by its thread."""
    clock = SetClock()
    it = Publication(bucket, clock, owner.channel, hold(clock), 60, {}, lambda: None)
    it._publisher, it._multivariant = owner.publisher, owner.multivariant
    return it


def test_a_run_of_which_all_was_left_out_is_not_the_one_that_is_played(bucket: Bucket) -> None:
    owner = bucket.owner(1)
    it = publication(bucket, owner)
    for _ in range(3):
        it._publish(owner.segment())
    with bucket.failing("put", ".m3u8"):
        it._publish(owner.segment())
    assert it.published_run == 1 and owner.publisher.has_unwritten
    owner.restart()
    it.error = None
    with bucket.failing("put"):
        it._publish(replace(owner.segment(), found_at_s=0.0))
    assert it.error == "StoreUnavailable: no"
    it._catch_up()
    assert not owner.publisher.has_unwritten
    # What was named last is still of the first run.
    assert it.published_run == 1
    it._publish(owner.segment())
    assert it.published_run == 2


def test_what_was_given_up_writes_nothing_over_what_follows_under_the_same_claim(bucket, tmp_path) -> None:
    clock, before = SetClock(), Owner(bucket, tmp_path / "before", 1)
    it = Publication(bucket, clock, before.channel, hold(clock), 60, {}, lambda: None)
    assert it._attempt(it._publisher.take_over)
    it._publish(before.segment())
    hanging, go = threading.Event(), threading.Event()

    def hang(operation: str, key: str) -> None:
        hanging.set()
        go.wait(10)

    bucket.before = hang
    late = threading.Thread(target=it._publish, args=(before.segment(),))
    late.start()
    assert hanging.wait(10)
    it.abandon()
    after = Owner(bucket.store, tmp_path / "after", 1)
    after.restart()
    after.publisher.take_over()
    after.publish()
    bucket.follow()
    go.set()
    late.join(10)
    bucket.follow()
    after.publish()
    assert bucket.follow().runs("720p") == ["1-1", "1-2"]


def test_the_rate_is_of_the_last_minute_and_falls_when_nothing_comes() -> None:
    now_s = [100.0]
    throughput = ThroughputStats(lambda: now_s[0])
    assert throughput.segments_per_minute is None and throughput.bitrate_bps is None
    for _ in range(5):
        throughput.add(2.0, 250_000)
        now_s[0] += 2.0
    assert throughput.bitrate_bps == 1_000_000
    assert throughput.segments_per_minute == 25.0
    now_s[0] -= 2.0
    assert throughput.segments_per_minute == 30.0
    for _ in range(40):
        now_s[0] += 2.0
        throughput.add(2.0, 250_000)
    assert throughput.segments_per_minute == 30.0
    now_s[0] += 30.0
    assert throughput.segments_per_minute == 15.0
    now_s[0] += 60.0
    assert throughput.segments_per_minute == 0.0
