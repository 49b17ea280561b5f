"""Source openers: each opens one source and reports whether it can be played, or why not."""

from enum import Enum

from chalicelib.domain.streams.stream import Stream
from worker.encoding.copy_segmentation import CopySegmentation, plan_copy
from worker.encoding.source_info import PATTERN, SourceInfo, SourceRefused
from worker.ingest.source_receiver import SourceReceiver


class OpenerStatus(Enum):
    """The progress of an opener. A `FAILED` source is tried again soon, a `REFUSED` one a little later."""

    OPENING = "opening"
    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"


class SourceOpener:
    """A source that is being opened, or is open. Used by the supervising thread, which updates it every tick."""

    # Whether it waits for a sender, which may connect and disconnect at any time.
    is_listener = False

    def __init__(self) -> None:
        self.status = OpenerStatus.OPENING
        # Why it is not ready, for the operator.
        self.reason = ""
        # What it was found to be, once it is ready.
        self.source: SourceInfo | None = None
        # How it is segmented where it is copied; None where it is encoded.
        self.segmentation: CopySegmentation | None = None
        self.receiver: SourceReceiver | None = None

    @property
    def is_frozen(self) -> bool:
        """Return whether it waits until something moves in it."""
        return False

    @property
    def rejected(self) -> tuple[str, float] | None:
        """Return why and when (monotonic) a sender was rejected last, if any was."""
        return None

    def must_reopen(self, now_s: float) -> bool:
        """Return whether it has ended only because its format changes, and continues when it is opened again."""
        return False

    def update(self, now_s: float) -> None:
        """Bring `status` and the rest up to date."""

    def adopt(self, stream: Stream) -> bool:
        """Continue under new settings of the same source; return False if it has to be opened again."""
        return False

    def await_movement(self, reason: str) -> None:
        """Count as not ready until something moves in the source; `reason` is for the operator."""

    def close(self) -> None:
        """Close the source."""


class PatternSourceOpener(SourceOpener):
    """The opener of the test pattern, which is ready at once."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self.source = PATTERN
        try:
            self.status, self.segmentation = OpenerStatus.READY, plan_copy(PATTERN, stream, {})
        except SourceRefused as refused:
            self.status, self.reason = OpenerStatus.REFUSED, str(refused)
