"""Keeps an ffmpeg running for one stream: starts it, watches it, and starts it again."""

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from chalicelib.domain.streams import Stream, source_name
from worker.argv import Plan
from worker.channel import run_name
from worker.config import WorkerConfig
from worker.copying import cut_of
from worker.progress import Progress
from worker.publication import Publication
from worker.run import Run
from worker.run_logs import OpenLog, RunLogs
from worker.sources import SourceRefused, prepare
from worker.supervision import Supervision

log = logging.getLogger(__name__)

# Sound begins a little before and ends a little after its picture; so much apart, two runs never overlap.
SEAM_S = 0.05


class Driver:
    """The present run, if there is one, and how many there were. Used by the pipeline's thread only."""

    def __init__(self, config: WorkerConfig, supervision: Supervision, epoch: int, logs: RunLogs) -> None:
        self.runs = 0
        self._config = config
        self._supervision = supervision
        self._epoch = epoch
        self._run: Run | None = None
        self._logs = logs
        self._log: OpenLog | None = None
        # Frames dropped by runs that have ended.
        self._dropped_before = 0
        self._clock_s = 0.0

    @property
    def progress(self) -> Progress | None:
        """What the running ffmpeg told last."""
        return self._run.ffmpeg.progress if self._run else None

    @property
    def dropped_frames(self) -> int:
        """By all runs of this claim."""
        return self._dropped_before + (self.progress.dropped_frames if self.progress else 0)

    def drive(self, now_s: float, stream: Stream, publication: Publication, report: Callable[[], None]) -> None:
        """Do what is due. `report` is called where the state must be known before the work goes on."""
        run, supervision = self._run, self._supervision
        if run is None:
            if supervision.may_start(now_s) and publication.starts_at_s is not None:
                self._start(now_s, stream, publication, max(self._clock_s, publication.starts_at_s))
            return
        run.inbox.refresh()
        if not run.ffmpeg.running:
            self._fail(run, stream, run.ffmpeg.ending())
            return
        silence = supervision.silence(now_s, run.ffmpeg.progressed_at_s, run.inbox.segment_at_s)
        if silence:
            supervision.stalled(silence)
            report()
            self._fail(run, stream, silence)
        elif publication.published_run == run.number:
            supervision.published(now_s, publication.published_at_s, publication.error)

    def stop(self, *, kill: bool = False) -> None:
        """End the run on purpose."""
        if self._run:
            self._run.end(kill=kill)
            self._forget(self._run, "ended on purpose")

    def clear(self, stream: Stream) -> None:
        """Remove what the runs of this claim have left in the scratch directory."""
        shutil.rmtree(self._directory(stream), ignore_errors=True)

    def _start(self, now_s: float, stream: Stream, publication: Publication, clock_s: float) -> None:
        who = {"stream_id": stream.stream_id, "epoch": self._epoch}
        environ = self._config.ffmpeg_environ
        try:
            source = prepare(stream.ingest, self._config.media_dir, environ)
            cut = cut_of(source, stream, environ)
        except SourceRefused as error:
            self._supervision.refused(now_s, str(error))
            log.error("the source cannot be used", extra={**who, "error": str(error)})
            return
        self.runs += 1
        name = run_name(self._epoch, self.runs)
        plan = Plan(
            source=source,
            renditions=stream.renditions,
            segment_seconds=stream.segment_seconds,
            directory=self._directory(stream) / name,
            name=name,
            # Time stamps go on where the last run's end, on whatever worker that was.
            offset_s=clock_s + SEAM_S if clock_s else 0.0,
            cut=cut,
        )
        self._supervision.segment_seconds = plan.target_s
        self._run = Run(self.runs, plan, environ)
        self._log = self._logs.began(name, source_name(0), self._run.ffmpeg.lines)
        self._supervision.run_started(time.monotonic())
        publication.follow(self._run.inbox)
        log.info("ffmpeg started", extra={**who, "run": self.runs, "pid": self._run.ffmpeg.pid})

    def _fail(self, run: Run, stream: Stream, reason: str) -> None:
        run.end(kill=True)
        self._forget(run, reason)
        self._supervision.run_ended(time.monotonic(), reason)
        said = list(run.ffmpeg.lines)[-10:]
        log.error("ffmpeg is restarted", extra={"stream_id": stream.stream_id, "error": reason, "said": said})

    def _forget(self, run: Run, ending: str) -> None:
        if self._log:
            self._log.ended(ending)
        self._dropped_before += run.ffmpeg.progress.dropped_frames
        self._clock_s = run.inbox.ends_at_s
        self._run = None

    def _directory(self, stream: Stream) -> Path:
        return self._config.scratch_dir / stream.stream_id / str(self._epoch)
