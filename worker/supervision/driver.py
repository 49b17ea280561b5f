"""Runs the encoder of one stream: starts it, watches it, and replaces it with the same source or another."""

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from chalicelib.domain.streams.media_health import SourceTrack
from chalicelib.domain.streams.pacing import SEGMENT_SECONDS_MAX
from chalicelib.domain.streams.runtime import SLATE, source_name
from chalicelib.domain.streams.stream import Stream
from worker.config import WorkerConfig
from worker.encoding.copy_segmentation import CopySegmentation
from worker.encoding.output_rate import output_rate
from worker.encoding.run_ladder import run_ladder
from worker.encoding.source_info import SLATE_SOURCE, SourceInfo
from worker.encoding.transcoder import Progress
from worker.ingest.source_opener import OpenerStatus
from worker.ingest.source_pool import SourcePool
from worker.publishing.publication import Publication
from worker.publishing.segment_sampler import Sample
from worker.supervision.published_faults import FaultHistory, published_fault
from worker.supervision.run import Run
from worker.supervision.run_logs import OpenLog, RunLogs
from worker.supervision.state_machine import StreamStateMachine
from worker.transcoding.plan import EXIT_FROZEN, FIRST_SEGMENT, TranscodePlan, Work

log = logging.getLogger(__name__)

# Sound begins a little before and ends a little after its picture: with this gap, two runs never overlap.
RUN_GAP_S = 0.12
ENDED_STATUSES = (OpenerStatus.FAILED, OpenerStatus.REFUSED)


class Driver:
    """The present run, if there is one, and the number of runs. Used by the pipeline's thread only."""

    def __init__(self, config: WorkerConfig, state_machine: StreamStateMachine, epoch: int, logs: RunLogs) -> None:
        self.runs = 0
        self._config = config
        self._state_machine = state_machine
        self._epoch = epoch
        self._run: Run | None = None
        self._logs = logs
        self._log: OpenLog | None = None
        self._pool: SourcePool | None = None
        # Frames dropped by runs that have ended.
        self._dropped_before = 0
        # The last run was ended for another one: what is published bridges the time until that starts.
        self._is_switching = False
        # The published segment that was checked last.
        self._sample: Sample | None = None
        self._faults = FaultHistory()
        self._clock_s = 0.0
        # The last run, if it has crashed (and not merely stood still): the next one continues with its source.
        self._crashed: Run | None = None

    @property
    def progress(self) -> Progress | None:
        """Return the running encoder's newest report."""
        return self._run.transcoder.progress if self._run else None

    @property
    def dropped_frames(self) -> int:
        """Return the number of frames that all runs of this claim have dropped."""
        return self._dropped_before + (self.progress.dropped_frames if self.progress else 0)

    @property
    def source(self) -> str | None:
        """Return what is played; None while nothing is."""
        playing = self._pool.failover.playing if self._pool else None
        if self._run is None:
            return None
        return SLATE if playing is None else source_name(playing)

    @property
    def tracks(self) -> tuple[SourceTrack, ...]:
        """Return the tracks of the source that is played."""
        opener = self._pool and self._pool.playing
        return opener.source.tracks if opener and opener.source else ()

    @property
    def run(self) -> Run | None:
        """Return the present run."""
        return self._run

    @property
    def pool(self) -> SourcePool | None:
        """Return the open sources."""
        return self._pool

    def published_fault(self, now_s: float) -> str | None:
        """Return why runs were replaced lately; see `FaultHistory.issue`."""
        return self._faults.issue(now_s)

    @property
    def ingest_bitrate_bps(self) -> int | None:
        """Return the incoming bitrate of the source that is played, if it is a live one."""
        opener = self._pool and self._pool.playing
        return opener.receiver.bitrate_bps if opener and opener.receiver else None

    def drive(self, now_s: float, stream: Stream, publication: Publication, report: Callable[[], None]) -> None:
        """Do what is due. `report` is called where the state must be stored before the work goes on."""
        pool = self._pool = self._pool or SourcePool(stream, self._config, now_s, self._logs.add_unopened)
        pool.update(now_s)
        if self._run is None:
            self._begin(now_s, stream, pool, publication)
            return
        if self._run.format_has_changed:
            # What was sent before the change is published; the source stays open for the next run.
            self._end(self._run, "the source's format changed", kill=False)
            pool.failover.record_playing(None, now_s)
            self._is_switching = True
            return
        if pool.must_reopen(now_s):
            self._end(self._run, "the source's format changed", kill=False)
            pool.reopen(now_s)
            self._is_switching = True
            return
        reason = self._failure(now_s, self._run, pool)
        if reason:
            self._fail(now_s, self._run, pool, stream, reason, report)
            return
        if publication.published_run == self._run.number:
            self._note_published(now_s, pool, publication)
            fault = self._published_fault(now_s, self._run, publication)
            if fault:
                self._fail(now_s, self._run, pool, stream, fault, report)
                return
        else:
            self._state_machine.check_awaited(now_s, publication.published_at_s)
        self._improve(now_s, self._run, pool, stream, publication)

    def stop(self, reason: str, *, kill: bool = False, new_settings: Stream | None = None) -> None:
        """End the run on purpose, and close all sources but those that `new_settings` do not change."""
        if self._run:
            self._end(self._run, reason, kill=kill)
        if self._pool and new_settings:
            self._pool.adopt(new_settings, time.monotonic())
        elif self._pool:
            self._pool.close()
            self._pool = None

    def clear(self, stream: Stream) -> None:
        """Delete the files of this claim's runs from the scratch directory."""
        shutil.rmtree(self._directory(stream), ignore_errors=True)

    def _begin(self, now_s: float, stream: Stream, pool: SourcePool, publication: Publication) -> None:
        """Play the best source that is ready, or the slate, or report why nothing is played."""
        failover, trouble = pool.failover, pool.trouble()
        index = failover.pick(now_s)
        slate = index is None and stream.slate and failover.is_exhausted(now_s)
        if publication.starts_at_s is not None and (index is not None or slate):
            self._clock_s = max(self._clock_s, publication.starts_at_s)
            self._start(index, stream, pool, publication)
            # Of what plays now, the trouble is over.
            trouble = pool.trouble()
            if self._is_switching and index is not None:
                self._state_machine.switch_run(now_s, trouble[1] if trouble else None)
            else:
                self._state_machine.start_run(now_s, trouble[1] if trouble else None, is_slate=slate)
            self._is_switching = False
        elif trouble:
            self._state_machine.wait(*trouble)

    def _failure(self, now_s: float, run: Run, pool: SourcePool) -> str | None:
        """Return why the run has to be replaced, if it has."""
        run.segments.refresh()
        # Where a source is copied its keyframes make the segments: their real length decides what counts as silence.
        self._state_machine.segment_seconds = min(run.segments.target_s, SEGMENT_SECONDS_MAX)
        opener = pool.playing
        if opener and opener.status in ENDED_STATUSES:
            return opener.reason
        if run.transcoder.exit_status == EXIT_FROZEN:
            return run.transcoder.complaint()
        if not run.transcoder.is_running:
            return run.transcoder.ending()
        return self._state_machine.restart_reason(now_s, run.transcoder.progressed_at_s, run.segments.segment_at_s)

    def _published_fault(self, now_s: float, run: Run, publication: Publication) -> str | None:
        """Return what is wrong with the published segments, if it is the run's fault."""
        sample = publication.sampler.newest
        if sample is None or sample is self._sample or sample.run != run.number:
            return None
        self._sample = sample
        fault = published_fault(sample, tuple(run.transcoder.activity))
        if fault:
            publication.sampler.look_soon()
        return self._faults.record(now_s, fault)

    def _fail(
        self, now_s: float, run: Run, pool: SourcePool, stream: Stream, reason: str, report: Callable[[], None]
    ) -> None:
        playing = pool.failover.playing
        has_ended = pool.playing is not None and pool.playing.status in ENDED_STATUSES
        if run.transcoder.is_running:
            self._state_machine.stall(reason)
            report()
        has_crashed = not run.transcoder.is_running and run.transcoder.exit_status != EXIT_FROZEN
        # What a source sent before it ended is finished; an encoder that hangs is killed.
        self._end(run, reason, kill=not has_ended)
        self._crashed = run if has_crashed else None
        self._state_machine.end_run(reason)
        if playing is None:
            pool.failover.record_playing(None, now_s)
        elif run.transcoder.exit_status == EXIT_FROZEN:
            pool.record_frozen(playing, now_s, reason)
        else:
            pool.record_break(playing, now_s, reason)
        last_lines = list(run.transcoder.lines)[-10:]
        log.error(
            "the encoder is restarted", extra={"stream_id": stream.stream_id, "error": reason, "said": last_lines}
        )

    def _note_published(self, now_s: float, pool: SourcePool, publication: Publication) -> None:
        self._state_machine.record_published(now_s, publication.published_at_s, publication.error)
        playing = pool.failover.playing
        if self._state_machine.is_stable and playing is not None:
            pool.record_stable(playing)
            trouble = pool.trouble()
            self._state_machine.last_error = trouble[1] if trouble else None

    def _improve(self, now_s: float, run: Run, pool: SourcePool, stream: Stream, publication: Publication) -> None:
        """Switch to a better source, if one has proved itself; the present segment is finished first."""
        failover = pool.failover
        index = failover.pick(now_s) if failover.playing is None else failover.pick_better(now_s)
        if index is None:
            # The slate was switched off while it was shown: that alone restarts nothing.
            if failover.playing is None and not stream.slate:
                self._end(run, "the slate was switched off", kill=False)
            return
        self._end(run, f"gave way to {source_name(index)}", kill=False)
        self._start(index, stream, pool, publication)
        trouble = pool.trouble()
        self._state_machine.switch_run(time.monotonic(), trouble[1] if trouble else None)

    def _start(self, index: int | None, stream: Stream, pool: SourcePool, publication: Publication) -> None:
        """Play a source that is open; None: the slate."""
        opener = None if index is None else pool.opener(index)
        source = opener.source if opener else SLATE_SOURCE
        assert source
        self.runs += 1
        self._faults.start_run()
        segmentation, receiver = (opener.segmentation, opener.receiver) if opener else (None, None)
        begins_us = self._crashed.resume_us if self._crashed and self._crashed.receiver is receiver else None
        plan = self._plan(stream, source, segmentation, begins_us)
        target_s = segmentation.target_s if segmentation else stream.segment_seconds
        self._run = Run(self.runs, plan, target_s, self._config.ffmpeg_environ, receiver)
        pool.failover.record_playing(index, time.monotonic())
        received = receiver.lines if receiver else deque[str]()
        self._log = self._logs.add_run(plan.name, self.source or SLATE, self._run.transcoder, received)
        publication.follow(self._run.segments)
        who = {"stream_id": stream.stream_id, "epoch": self._epoch, "source": self.source}
        log.info("the encoder is started", extra={**who, "run": self.runs, "pid": self._run.transcoder.pid})

    def _plan(
        self, stream: Stream, source: SourceInfo, segmentation: CopySegmentation | None, begins_us: int | None = None
    ) -> TranscodePlan:
        # It begins the names of the run's segments: see `Channel`.
        name = f"{self._epoch}-{self.runs}"
        out = output_rate(source.rate, stream.fps_max, is_interlaced=source.is_interlaced)
        return TranscodePlan(
            work=Work.COPY if segmentation else source.work,
            renditions=run_ladder(stream.renditions, is_copied=segmentation is not None),
            directory=self._directory(stream) / name,
            name=name,
            segment_s=stream.segment_seconds,
            # The muxer cuts an encoded run at every keyframe, of which the second ends the shorter first segment.
            cut_s=segmentation.every_s if segmentation else stream.segment_seconds * FIRST_SEGMENT,
            # Time stamps continue those of the last run, on any worker.
            offset_s=self._clock_s + RUN_GAP_S if self._clock_s else 0.0,
            rate=out.rate,
            fields=out.fields,
            frozen_after_s=stream.frozen_after_s,
            begins_us=begins_us,
        )

    def _end(self, run: Run, reason: str, *, kill: bool) -> None:
        run.end(kill=kill)
        if self._log:
            self._log.close(reason)
        self._dropped_before += run.transcoder.progress.dropped_frames
        self._clock_s = run.segments.ends_at_s
        self._run = self._crashed = None

    def _directory(self, stream: Stream) -> Path:
        return self._config.scratch_dir / stream.stream_id / str(self._epoch)
