"""The driver between the beginning and the end of a run, with a fake run."""

from collections import deque
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.media_health import IngestIssueCode
from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.domain.streams.stream import Stream
from tests.fixtures.settings import worker_config
from worker.encoding.copy_segmentation import CopySegmentation
from worker.encoding.source_info import SLATE_SOURCE, SourceInfo
from worker.encoding.transcoder import Progress
from worker.ingest.source_opener import OpenerStatus
from worker.publishing.segment_sampler import Sample
from worker.supervision.driver import Driver
from worker.supervision.state_machine import StreamStateMachine
from worker.transcoding.plan import EXIT_FROZEN, FIRST_SEGMENT, Work

STREAM = Stream(stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST), segment_seconds=4)
CONFIG = worker_config()
SAMPLE = Sample(run=2, duration_s=2.0, has_sound=True, sound_s=2.0, peak=9_000, moves=True, dark=False)


class FakeRun:
    """A run that makes nothing, and records how it was ended."""

    format_has_changed = False

    def __init__(self, *, segment_at_s: float | None, target_s: int = 2, progressed_at_s: float = 4.0) -> None:
        self.number = 2
        self.segments: Any = SimpleNamespace(
            refresh=lambda: None, segment_at_s=segment_at_s, ends_at_s=4.0, target_s=target_s
        )
        self.transcoder: Any = SimpleNamespace(
            is_running=True,
            exit_status=None,
            progressed_at_s=progressed_at_s,
            progress=Progress(),
            activity=(),
            lines=deque(),
            complaint=lambda: "the picture is frozen and silent for 30 s",
            ending=lambda: "the encoder ended with status 1",
        )
        self.ends: list[bool] = []

    def end(self, *, kill: bool) -> None:
        self.ends.append(kill)


class FakePool:
    """A pool of one source that is ready and played, or none."""

    def __init__(self, playing: int | None) -> None:
        self.said: list[tuple[object, ...]] = []
        self.has_to_reopen = False
        self.failover: Any = SimpleNamespace(
            playing=playing,
            pick=lambda now_s: None,
            pick_better=lambda now_s: None,
            record_playing=lambda index, now_s: self.said.append(("started", index)),
        )

    def update(self, now_s: float) -> None:
        pass

    def frozen_sources(self) -> tuple[str, ...]:
        return ()

    def must_reopen(self, now_s: float) -> bool:
        return self.has_to_reopen

    def reopen(self, now_s: float) -> None:
        self.said.append(("reopened",))

    @property
    def playing(self) -> Any:
        return None if self.failover.playing is None else SimpleNamespace(status=OpenerStatus.READY)

    def record_break(self, index: int, now_s: float, reason: str) -> None:
        self.said.append(("broke", index, reason))

    def record_frozen(self, index: int, now_s: float, reason: str) -> None:
        self.said.append(("froze", index, reason))


def driver_of(run: FakeRun, pool: FakePool, state_machine: StreamStateMachine | None = None) -> Driver:
    driver = Driver(CONFIG, state_machine or StreamStateMachine(2), 1, cast(Any, None))
    driver._run, driver._pool = cast(Any, run), cast(Any, pool)
    return driver


def publication_of(run: int, sampler: Any = None) -> Any:
    return SimpleNamespace(published_run=run, published_at_s=3.0, error=None, sampler=sampler)


def test_a_stream_is_not_live_for_long_by_what_the_run_before_has_published() -> None:
    state_machine = StreamStateMachine(2)
    state_machine.start_run(0)
    state_machine.record_published(3, 3, None)
    state_machine.switch_run(4)
    driver = driver_of(FakeRun(segment_at_s=None, progressed_at_s=14.0), FakePool(0), state_machine)
    publication = publication_of(run=1)
    driver.drive(13.0, STREAM, publication, lambda: None)
    assert state_machine.state is RuntimeState.LIVE
    driver.drive(13.1, STREAM, publication, lambda: None)
    assert state_machine.state is RuntimeState.STALLED


def test_a_slate_that_began_while_it_was_being_switched_off_ends() -> None:
    run = FakeRun(segment_at_s=4.0)
    driver = driver_of(run, FakePool(None))
    driver.drive(5.0, replace(STREAM, slate=True), publication_of(run=1), lambda: None)
    assert run.ends == []
    driver.drive(5.1, replace(STREAM, slate=False), publication_of(run=1), lambda: None)
    assert run.ends == [False] and driver.source is None


def test_a_copied_source_of_rare_keyframes_is_not_taken_for_silent_between_them() -> None:
    state_machine = StreamStateMachine(2)
    run, pool = FakeRun(segment_at_s=4.0, target_s=9, progressed_at_s=40.0), FakePool(None)
    driver = driver_of(run, pool, state_machine)
    state_machine.start_run(0)
    assert driver._failure(31.0, cast(Any, run), cast(Any, pool)) is None
    state_machine.record_published(31.0, 4.0, None)
    assert state_machine.state is RuntimeState.LIVE
    assert driver._failure(31.1, cast(Any, run), cast(Any, pool)) == "no new segment for 27 s"
    run.segments.target_s = 60
    assert driver._failure(34.1, cast(Any, run), cast(Any, pool)) == "no new segment for 30 s"


@pytest.mark.parametrize(
    ("exit_status", "said"),
    [
        (EXIT_FROZEN, ("froze", 0, "the picture is frozen and silent for 30 s")),
        (1, ("broke", 0, "the encoder ended with status 1")),
    ],
)
def test_a_source_that_stands_still_is_given_up_and_one_whose_run_ends_is_tried_again(
    exit_status: int, said: tuple[object, ...]
) -> None:
    run, pool, state_machine = FakeRun(segment_at_s=4.0), FakePool(0), StreamStateMachine(2)
    run.transcoder.is_running, run.transcoder.exit_status = False, exit_status
    driver = driver_of(run, pool, state_machine)
    driver.drive(5.0, STREAM, publication_of(run=1), lambda: None)
    assert pool.said == [said]
    assert (state_machine.state, state_machine.last_error) == (RuntimeState.BACKOFF, said[-1])


def test_another_format_ends_the_run_without_counting_as_a_failure() -> None:
    run, pool, state_machine = FakeRun(segment_at_s=4.0), FakePool(0), StreamStateMachine(2)
    run.format_has_changed = True
    driver = driver_of(run, pool, state_machine)
    driver.drive(5.0, STREAM, publication_of(run=1), lambda: None)
    assert run.ends == [False] and pool.said == [("started", None)]
    assert state_machine.restarts == 0 and state_machine.last_error is None


def test_a_source_that_ended_for_another_format_is_reopened_without_counting_as_a_failure() -> None:
    run, pool, state_machine = FakeRun(segment_at_s=4.0), FakePool(0), StreamStateMachine(2)
    pool.has_to_reopen = True
    driver = driver_of(run, pool, state_machine)
    driver.drive(5.0, STREAM, publication_of(run=1), lambda: None)
    assert run.ends == [False] and pool.said == [("reopened",)]
    assert state_machine.restarts == 0 and state_machine.last_error is None


def test_two_faulty_samples_in_a_row_replace_the_run_and_one_does_not() -> None:
    run, pool, state_machine = FakeRun(segment_at_s=4.0), FakePool(0), StreamStateMachine(2)
    driver, looks = driver_of(run, pool, state_machine), []
    sampler = SimpleNamespace(newest=None, look_soon=lambda: looks.append(True))
    faulty = replace(SAMPLE, sound_s=1.0)
    # Faulty once; the same one seen again; fine; another run's; faulty again.
    for newest in (faulty, faulty, SAMPLE, replace(faulty, run=1), replace(faulty)):
        sampler.newest = newest
        driver.drive(5.0, STREAM, publication_of(2, sampler), lambda: None)
    assert run.ends == [] and len(looks) == 2
    sampler.newest = replace(faulty)
    driver.drive(5.0, STREAM, publication_of(2, sampler), lambda: None)
    assert run.ends == [True] and state_machine.restarts == 1
    fault = "a published segment of 2.00 s has 1.00 s of sound"
    assert pool.said == [("broke", 0, fault)]
    assert driver.lasting_issues(5.0) == {
        IngestIssueCode.PUBLISHED_FAULTY: f"The run was replaced, since viewers got something wrong: {fault}."
    }


def test_an_encoded_run_is_cut_at_each_keyframe_and_a_copied_one_by_its_segmentation() -> None:
    driver = Driver(CONFIG, StreamStateMachine(2), 7, cast(Any, None))
    source = SourceInfo(rate=SLATE_SOURCE.rate, video_codec="h264")
    encoded = driver._plan(replace(STREAM, frozen_after_s=30), source, None)
    assert (encoded.work, encoded.cut_s, encoded.frozen_after_s) == (Work.ENCODE, 4 * FIRST_SEGMENT, 30)
    copied = driver._plan(replace(STREAM, abr_profile="source"), source, CopySegmentation(every_s=1.45, target_s=4))
    assert (copied.work, copied.cut_s) == (Work.COPY, 1.45)
    assert [(each.name, each.width) for each in copied.renditions] == [("source", 0)]
    # The slate has to be encoded for a ladder that copies, under the same name.
    slate = driver._plan(replace(STREAM, abr_profile="source"), SLATE_SOURCE, None)
    assert (slate.work, [each.name for each in slate.renditions]) == (Work.SLATE, ["source"])
    assert slate.renditions[0].width and slate.renditions[0].audio_bps


@pytest.mark.parametrize(("fps_max", "planned"), [(30, (Fraction(25), False)), (60, (Fraction(50), True))])
def test_the_ladder_bounds_how_many_pictures_a_run_makes(fps_max: int, planned: tuple[Fraction, bool]) -> None:
    driver = Driver(CONFIG, StreamStateMachine(2), 7, cast(Any, None))
    stream = replace(STREAM, abr_profile="custom", custom_renditions=STREAM.renditions, fps_max=fps_max)
    plan = driver._plan(stream, SourceInfo(rate=Fraction(25), is_interlaced=True), None)
    assert (plan.rate, plan.fields) == planned
