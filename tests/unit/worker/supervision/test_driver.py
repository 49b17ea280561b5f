from collections import deque
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.domain.streams.stream import Stream
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.unit.worker.parts import CONFIG, hold
from worker.encoding.copy_segmentation import CopySegmentation
from worker.encoding.source_info import SLATE_SOURCE, SourceInfo
from worker.encoding.transcoder import Progress
from worker.ingest.source_opener import OpenerStatus
from worker.publishing.segment_sampler import Sample
from worker.supervision.driver import Driver
from worker.supervision.reporter import Reporter
from worker.supervision.run_logs import RunLogs
from worker.supervision.state_machine import StreamStateMachine
from worker.transcoding.plan import EXIT_FROZEN, FIRST_SEGMENT, Work

STREAM = Stream(stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST), segment_seconds=4)
SAMPLE = Sample(run=2, duration_s=2.0, has_sound=True, sound_s=2.0, peak=9_000, moves=True, dark=False)
FROZEN = "the picture is frozen and silent for 30 s"
ENDED = "the encoder ended with status 1"


NOT_SAMPLED = SimpleNamespace(newest=None)


class FakePool:
    """A pool of one source that is ready and played, or none, which records all calls."""

    def __init__(self, playing: int | None) -> None:
        self.said: list[tuple[object, ...]] = []
        self.failover: Any = SimpleNamespace(playing=playing, pick=lambda now_s: None, pick_better=lambda now_s: None)
        self.failover.record_playing = lambda index, now_s: self.said.append(("started", index))
        self.playing = None if playing is None else SimpleNamespace(status=OpenerStatus.READY)
        self.update = lambda now_s: None
        self.frozen_sources = lambda: ()
        self.must_reopen = lambda now_s: False
        self.reopen = lambda now_s: self.said.append(("reopened",))
        self.record_break = lambda index, now_s, reason: self.said.append(("broke", index, reason))
        self.record_frozen = lambda index, now_s, reason: self.said.append(("froze", index, reason))


class Driven:
    """A driver in the second run, which makes nothing and records how it was ended."""

    def __init__(self, playing: int | None = 0, segment_at_s: float | None = 4.0, progressed_at_s: float = 4.0) -> None:
        self.pool, self.state_machine = FakePool(playing), StreamStateMachine(2)
        self.ends: list[bool] = []
        self.published_at_s = 3.0
        self.transcoder: Any = SimpleNamespace(
            is_running=True,
            exit_status=None,
            progressed_at_s=progressed_at_s,
            progress=Progress(),
            activity=(),
            lines=deque(),
            complaint=lambda: FROZEN,
            ending=lambda: ENDED,
        )
        self.segments: Any = SimpleNamespace(refresh=lambda: None, segment_at_s=segment_at_s, ends_at_s=4.0, target_s=2)
        self.run = SimpleNamespace(number=2, format_has_changed=False, segments=self.segments)
        self.run.transcoder, self.run.end = self.transcoder, lambda kill: self.ends.append(kill)
        self.driver = Driver(CONFIG, self.state_machine, 1, cast(Any, None))
        self.driver._run, self.driver._pool = cast(Any, self.run), cast(Any, self.pool)

    def drive(
        self, now_s: float, stream: Stream = STREAM, published: int = 1, sampler: Any = NOT_SAMPLED, error: str = ""
    ) -> None:
        publication: Any = SimpleNamespace(published_run=published, error=error, sampler=sampler)
        publication.published_at_s = self.published_at_s
        self.driver.drive(now_s, stream, publication, lambda: None)


def test_a_stream_is_not_live_for_long_by_what_the_run_before_has_published() -> None:
    it = Driven(segment_at_s=None, progressed_at_s=14.0)
    it.state_machine.start_run(0)
    it.state_machine.record_published(3, 3, None)
    it.state_machine.switch_run(4)
    it.drive(13.0)
    assert it.state_machine.state is RuntimeState.LIVE
    it.drive(13.1)
    assert it.state_machine.state is RuntimeState.STALLED


def test_a_store_that_takes_nothing_stalls_the_stream_and_the_run_goes_on() -> None:
    it = Driven(segment_at_s=9.0, progressed_at_s=9.0)
    it.state_machine.start_run(0)
    it.drive(9.0, published=2)
    assert it.state_machine.state is RuntimeState.LIVE
    it.drive(9.1, published=2, error="StoreUnavailable: no")
    assert (it.state_machine.state, it.ends) == (RuntimeState.STALLED, [])
    assert it.state_machine.last_error == "nothing could be published for 6 s: StoreUnavailable: no"


def test_a_slate_that_began_while_it_was_being_switched_off_ends() -> None:
    it = Driven(playing=None)
    it.drive(5.0, replace(STREAM, slate=True))
    assert it.ends == []
    it.drive(5.1, replace(STREAM, slate=False))
    assert it.ends == [False] and it.driver.source is None


@pytest.mark.parametrize(("target_s", "silent_s"), [(9, 27), (60, 30)])
def test_a_copied_source_of_rare_keyframes_is_not_taken_for_silent_between_them(target_s: int, silent_s: int) -> None:
    it = Driven(progressed_at_s=40.0)
    it.segments.target_s, it.published_at_s = target_s, 4.0
    it.state_machine.start_run(0)
    it.drive(4.0 + silent_s, published=2)
    assert it.pool.said == [] and it.state_machine.state is RuntimeState.LIVE
    it.drive(4.1 + silent_s)
    assert it.pool.said == [("broke", 0, f"no new segment for {silent_s} s")]


@pytest.mark.parametrize(("exit_status", "said"), [(EXIT_FROZEN, ("froze", 0, FROZEN)), (1, ("broke", 0, ENDED))])
def test_a_source_that_stands_still_is_given_up_and_one_whose_run_ends_is_tried_again(exit_status, said) -> None:
    it = Driven()
    it.transcoder.is_running, it.transcoder.exit_status = False, exit_status
    it.drive(5.0)
    assert it.pool.said == [said]
    assert (it.state_machine.state, it.state_machine.last_error) == (RuntimeState.BACKOFF, said[-1])
    # After a crash its source is played from where the run ended, after a still picture from where it moves.
    assert (it.driver._crashed is None) is (exit_status == EXIT_FROZEN)


@pytest.mark.parametrize("ended", [False, True])
def test_another_format_ends_the_run_or_reopens_the_source_without_counting_as_a_failure(ended: bool) -> None:
    it = Driven()
    it.run.format_has_changed, it.pool.must_reopen = not ended, lambda now_s: ended
    it.drive(5.0)
    assert it.ends == [False] and it.pool.said == [("reopened",) if ended else ("started", None)]
    assert it.state_machine.restarts == 0 and it.state_machine.last_error is None


def test_two_faulty_samples_in_a_row_replace_the_run_and_one_does_not() -> None:
    it, looks = Driven(), []
    sampler = SimpleNamespace(newest=None, look_soon=lambda: looks.append(True))
    faulty = replace(SAMPLE, sound_s=1.0)
    # Faulty once; the same one seen again; fine; another run's; faulty again.
    for newest in (faulty, faulty, SAMPLE, replace(faulty, run=1), replace(faulty)):
        sampler.newest = newest
        it.drive(5.0, STREAM, 2, sampler)
    assert it.ends == [] and len(looks) == 2
    sampler.newest = replace(faulty)
    it.drive(5.0, STREAM, 2, sampler)
    assert it.ends == [True] and it.state_machine.restarts == 1
    fault = "a published segment of 2.00 s has 1.00 s of sound"
    assert it.pool.said == [("broke", 0, fault)]
    assert it.driver.published_fault(5.0) == f"a run was replaced: {fault}"


def test_an_encoded_run_is_cut_at_each_keyframe_and_a_copied_one_by_its_segmentation() -> None:
    plan, copying = Driven().driver._plan, replace(STREAM, abr_profile="source")
    source = SourceInfo(rate=SLATE_SOURCE.rate, video_codec="h264")
    encoded = plan(replace(STREAM, frozen_after_s=30), source, None)
    assert (encoded.work, encoded.cut_s, encoded.frozen_after_s) == (Work.ENCODE, 4 * FIRST_SEGMENT, 30)
    copied = plan(copying, source, CopySegmentation(every_s=1.45, target_s=4))
    assert (copied.work, copied.cut_s) == (Work.COPY, 1.45)
    assert [(each.name, each.width) for each in copied.renditions] == [("source", 0)]
    # The slate has to be encoded for a ladder that copies, under the same name.
    slate = plan(copying, SLATE_SOURCE, None)
    assert (slate.work, [each.name for each in slate.renditions]) == (Work.SLATE, ["source"])
    assert slate.renditions[0].width and slate.renditions[0].audio_bps
    # The ladder bounds how many pictures a run makes.
    for fps_max, rate, fields in ((30, Fraction(25), False), (60, Fraction(50), True)):
        stream = replace(STREAM, abr_profile="custom", custom_renditions=STREAM.renditions, fps_max=fps_max)
        planned = plan(stream, SourceInfo(rate=Fraction(25), is_interlaced=True), None)
        assert (planned.rate, planned.fields) == (rate, fields)


def test_an_outage_by_new_settings_begins_with_the_last_playlist_of_the_old_ones() -> None:
    runtimes, clock = MemoryRuntimes(), SetClock()
    held_claim = hold(clock, runtimes=runtimes)
    state_machine = StreamStateMachine(2)
    driver = Driver(CONFIG, state_machine, 1, RunLogs(MemoryMedia(), clock, held_claim, lambda: ()))
    reporter = Reporter(runtimes, clock, held_claim)
    state_machine.start_run(0)
    state_machine.record_published(3, 3, None)
    last_ms = held_claim.last_manifest_at_ms = clock.now_ms()
    reporter.report_if_due(3, state_machine, 1, driver, None)
    # Nothing is published by the new ones yet, and to end the old ones took a while.
    clock.advance(3_000)
    state_machine.change_settings(4)
    reporter.report_if_due(6, state_machine, 2, driver, None)
    stored = runtimes.get("stream-1")
    assert stored and stored.state is RuntimeState.STARTING
    assert (stored.down_since_ms, stored.last_manifest_at_ms) == (last_ms, last_ms)
