"""One run, from its start to its last segment."""

from collections.abc import Mapping

from worker.encoding.transcoder import Transcoder
from worker.ingest.source_receiver import SourceReceiver
from worker.publishing.segment_queue import SegmentQueue
from worker.transcoding.plan import TranscodePlan, Work, transcoder_argv

STOP_GRACE_S = 1.0


class Run:
    """A process and the directory that it fills. Made by the thread that supervises it. `receiver` is its source.

    A run whose plan has `begins_us` continues the last run of its receiver.
    """

    def __init__(
        self,
        number: int,
        plan: TranscodePlan,
        target_s: int,
        environ: Mapping[str, str],
        receiver: SourceReceiver | None = None,
    ) -> None:
        names = [rendition.name for rendition in plan.renditions]
        for name in names:
            (plan.directory / name).mkdir(parents=True, exist_ok=True)
        self.number = number
        self.pictures_per_s = float(plan.rate)
        self.is_copied = is_copy = plan.work is Work.COPY
        self.segments = SegmentQueue(number, plan.directory, names, plan.offset_s, target_s)
        self.transcoder = Transcoder(
            transcoder_argv(plan), environ, rate=float(plan.rate), is_copy=is_copy, stdin=receiver is not None
        )
        self.receiver = receiver
        self._plan = plan
        if receiver:
            receiver.play(
                self.transcoder.stdin,
                one_format=is_copy,
                replay=plan.begins_us is not None,
                segment_us=target_s * 1_000_000,
            )

    @property
    def format_has_changed(self) -> bool:
        """Return whether the source's format changed and all before the change has been passed on."""
        return self.receiver is not None and self.receiver.format_has_changed

    @property
    def resume_us(self) -> int | None:
        """Return the source's time at the end of the newest finished segment; None if that is unknown."""
        progress, made_us = self.transcoder.progress, round((self.segments.ends_at_s - self._plan.offset_s) * 1e6)
        if progress.out_us is None or progress.source_us is None:
            return None if made_us else self._plan.begins_us
        return progress.source_us - progress.out_us + made_us

    def end(self, *, kill: bool = False) -> None:
        """End the process and close its queue; finished segments can still be published."""
        if self.receiver:
            # A signal does not wake a process that waits for its input; the end of the input does.
            self.receiver.play(None)
        self.transcoder.stop(0.0 if kill else STOP_GRACE_S)
        self.segments.close()
