"""One run, from its start to its last segment."""

from collections.abc import Mapping

from worker.encoding.transcoder import Transcoder
from worker.ingest.source_receiver import SourceReceiver
from worker.publishing.segment_queue import SegmentQueue
from worker.transcoding.plan import TranscodePlan, Work, transcoder_argv

STOP_GRACE_S = 1.0


class Run:
    """A process and the directory that it fills. Made by the thread that supervises it. `receiver` is its source."""

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
        is_copy = plan.work is Work.COPY
        self.segments = SegmentQueue(number, plan.directory, names, plan.offset_s, target_s)
        self.transcoder = Transcoder(
            transcoder_argv(plan), environ, rate=float(plan.rate), is_copy=is_copy, stdin=receiver is not None
        )
        self._receiver = receiver
        if receiver:
            receiver.play(self.transcoder.stdin, one_format=is_copy)

    @property
    def format_has_changed(self) -> bool:
        """Return whether the source's format changed and all before the change has been passed on."""
        return self._receiver is not None and self._receiver.format_has_changed

    def end(self, *, kill: bool = False) -> None:
        """End the process and close its queue; finished segments can still be published."""
        if self._receiver:
            # A signal does not wake a process that waits for its input; the end of the input does.
            self._receiver.play(None)
        self.transcoder.stop(0.0 if kill else STOP_GRACE_S)
        self.segments.close()
