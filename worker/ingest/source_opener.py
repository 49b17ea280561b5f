"""Opening one source, whatever kind it is, until it can be played or it is known why not."""

from enum import Enum
from typing import Protocol

from chalicelib.domain.streams import Stream
from worker.encoding.copy_segmentation import CopySegmentation, plan_copy
from worker.encoding.source_info import PATTERN, SourceInfo, SourceRefused
from worker.ingest.source_receiver import SourceReceiver


class OpenerStatus(Enum):
    """How far a trial has come. What `FAILED` may be tried again soon, what is `REFUSED` not quite so soon."""

    OPENING = "opening"
    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"


class SourceOpener(Protocol):
    """A source that is being opened, or is open. Used by the supervising thread, which looks at it every tick."""

    status: OpenerStatus
    # Why it is not ready, for the operator.
    reason: str
    # What it can be played as, once it is ready.
    source: SourceInfo | None
    # How it is cut where it is copied; None where it is encoded.
    segmentation: CopySegmentation | None
    # Where it comes from, if it is received.
    receiver: SourceReceiver | None
    # Whether it waits for a sender, whose coming and going is nobody's fault.
    is_listener: bool

    def update(self, now_s: float) -> None:
        """Bring `status` and the rest up to date."""

    def adopt(self, stream: Stream) -> bool:
        """Go on under new settings of the same source; False: it has to be opened anew."""

    @property
    def is_frozen(self) -> bool:
        """Whether it waits until something moves in it."""

    def await_movement(self, reason: str) -> None:
        """Be ready no more until something moves in it; `reason` is for the operator."""

    def close(self) -> None:
        """Give it up."""


class PatternSourceOpener:
    """There is nothing to open."""

    is_listener = False
    is_frozen = False

    def __init__(self, stream: Stream) -> None:
        self.status, self.reason = OpenerStatus.READY, ""
        self.source: SourceInfo | None = PATTERN
        self.segmentation: CopySegmentation | None = None
        self.receiver: SourceReceiver | None = None
        try:
            self.segmentation = plan_copy(self.source, stream, {})
        except SourceRefused as refused:
            self.status, self.reason = OpenerStatus.REFUSED, str(refused)

    def update(self, now_s: float) -> None:
        """See `SourceOpener`."""

    def adopt(self, stream: Stream) -> bool:
        """See `SourceOpener`."""
        return False

    def await_movement(self, reason: str) -> None:
        """See `SourceOpener`."""

    def close(self) -> None:
        """See `SourceOpener`."""
