"""What the driver does between the beginning and the end of a run, with a run that is none."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from chalicelib.domain.ingest import Ingest, IngestMode
from chalicelib.domain.streams import RuntimeState, Stream
from worker.config import WorkerConfig
from worker.driver import Driver
from worker.ingest.trials import Status
from worker.supervision import Supervision

STREAM = Stream(stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST))
CONFIG = WorkerConfig(
    worker_id="w1", capacity=1, media_dir=Path("/media"), work_dir=Path("/scratch"), ffmpeg_environ={}
)


def encoder_at(progressed_at_s: float) -> SimpleNamespace:
    """An encoder that runs, and was last seen to get on then."""
    progress = SimpleNamespace(dropped_frames=0)
    return SimpleNamespace(running=True, exit_status=None, progressed_at_s=progressed_at_s, progress=progress)


def test_a_stream_is_not_live_for_long_by_what_the_run_before_has_published() -> None:
    supervision = Supervision(2)
    supervision.run_started(0)
    supervision.published(3, 3, None)
    supervision.run_switched(4)
    driver = Driver(CONFIG, supervision, 1, cast(Any, None))
    inbox = SimpleNamespace(refresh=lambda: None, segment_at_s=None, target_s=2)
    encoder = encoder_at(14.0)
    choice = SimpleNamespace(playing=0, better=lambda now_s: None)
    watch = SimpleNamespace(
        choice=choice, look=lambda now_s: None, trial=lambda index: SimpleNamespace(status=Status.READY)
    )
    driver._run = cast(Any, SimpleNamespace(number=2, inbox=inbox, transcoder=encoder, format_has_changed=False))
    driver._watch = cast(Any, watch)
    publication: Any = SimpleNamespace(published_run=1, published_at_s=3.0)
    driver.drive(13.0, STREAM, publication, lambda: None)
    assert supervision.state is RuntimeState.LIVE
    driver.drive(13.1, STREAM, publication, lambda: None)
    assert supervision.state is RuntimeState.STALLED


def test_a_slate_that_began_while_it_was_being_switched_off_ends() -> None:
    driver = Driver(CONFIG, Supervision(2), 1, cast(Any, None))
    inbox = SimpleNamespace(refresh=lambda: None, segment_at_s=4.0, ends_at_s=4.0, target_s=2)
    encoder = SimpleNamespace(
        running=True, exit_status=None, progressed_at_s=4.0, progress=SimpleNamespace(dropped_frames=0)
    )
    ended: list[bool] = []
    driver._run = cast(
        Any,
        SimpleNamespace(
            number=2, inbox=inbox, transcoder=encoder, format_has_changed=False, end=lambda kill: ended.append(kill)
        ),
    )
    choice = SimpleNamespace(playing=None, pick=lambda now_s: None)
    driver._watch = cast(Any, SimpleNamespace(choice=choice, look=lambda now_s: None))
    publication: Any = SimpleNamespace(published_run=1, published_at_s=3.0)
    driver.drive(5.0, replace(STREAM, slate=True), publication, lambda: None)
    assert ended == []
    driver.drive(5.1, replace(STREAM, slate=False), publication, lambda: None)
    assert ended == [False] and driver.source is None


def test_a_copied_source_of_rare_keyframes_is_not_taken_for_silent_between_them() -> None:
    supervision = Supervision(2)
    driver = Driver(CONFIG, supervision, 1, cast(Any, None))
    inbox = SimpleNamespace(refresh=lambda: None, segment_at_s=4.0, target_s=9)
    run: Any = SimpleNamespace(inbox=inbox, transcoder=encoder_at(40.0))
    watch: Any = SimpleNamespace(choice=SimpleNamespace(playing=None))
    supervision.run_started(0)
    assert driver._failure(31.0, run, watch) is None
    supervision.published(31.0, 4.0, None)
    assert supervision.state is RuntimeState.LIVE
    assert driver._failure(31.1, run, watch) == "no new segment for 27 s"
    inbox.target_s = 60
    assert driver._failure(34.1, run, watch) == "no new segment for 30 s"
