"""The run that viewers can play, as reported to the supervising thread: it makes a stream count as live."""

import threading
from dataclasses import replace
from pathlib import Path

from chalicelib.ports.common import StoreUnavailable
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.integration.worker.follower import Follower
from tests.unit.worker.publishing.owner import STREAM, Owner
from worker import claims
from worker.publishing.publication import Publication


def test_a_run_of_which_all_was_left_out_is_not_the_one_that_is_played(tmp_path: Path) -> None:
    media, clock = FaultyMedia(MemoryMedia()), SetClock()
    owner = Owner(media, tmp_path, 1)
    held_claim = claims.claim_stream(MemoryRuntimes(), clock, "stream-1", "w1")
    assert held_claim
    # Its steps are made here and not by its thread.
    it = Publication(media, clock, owner.channel, held_claim, 60, {}, lambda: None)
    it._publisher = owner.publisher
    owner.publisher.take_over()
    for _ in range(3):
        it._publish(owner.segment())

    def silent(operation: str, key: str) -> None:
        if operation == "put":
            raise StoreUnavailable("silent")

    media.before = lambda operation, key: silent(operation, key) if key.endswith(".m3u8") else None
    it._publish(owner.segment())
    assert it.published_run == 1 and owner.publisher.has_unwritten
    media.before = silent
    owner.restart()
    it._publish(replace(owner.segment(), found_at_s=0.0))
    media.before = lambda operation, key: None
    it._catch_up()
    assert not owner.publisher.has_unwritten
    # What was named last is still of the first run.
    assert it.published_run == 1
    it._publish(owner.segment())
    assert it.published_run == 2


def test_what_was_given_up_writes_nothing_over_what_follows_under_the_same_claim(tmp_path: Path) -> None:
    store, clock = MemoryMedia(), SetClock()
    media, follower = FaultyMedia(store), Follower(store, STREAM)
    held_claim = claims.claim_stream(MemoryRuntimes(), clock, STREAM, "w1")
    assert held_claim
    before = Owner(media, tmp_path / "before", 1)
    it = Publication(media, clock, before.channel, held_claim, 60, {}, lambda: None)
    assert it._attempt(it._publisher.take_over)
    it._publish(before.segment())
    hanging, go = threading.Event(), threading.Event()

    def hang(operation: str, key: str) -> None:
        hanging.set()
        go.wait(10)

    media.before = hang
    late = threading.Thread(target=it._publish, args=(before.segment(),))
    late.start()
    assert hanging.wait(10)
    it.abandon()
    after = Owner(store, tmp_path / "after", 1)
    after.restart()
    after.publisher.take_over()
    after.publish(1)
    follower.poll()
    go.set()
    late.join(10)
    follower.poll()
    after.publish(1)
    follower.poll()
    assert follower.problems == [] and follower.runs("720p") == ["1-1", "1-2"]
