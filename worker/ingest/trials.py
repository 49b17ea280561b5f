"""Opening one source, whatever kind it is, until it can be played or it is known why not."""

from enum import Enum
from typing import Protocol

from chalicelib.domain.ingest import Ingest
from chalicelib.domain.streams import Stream
from worker.aside import Aside
from worker.config import WorkerConfig
from worker.encoding.argv import Cut, Source, TestSource
from worker.encoding.copying import cut_of
from worker.ingest.feed import Feed
from worker.ingest.sources import SourceRefused, font, prepare_file


class Status(Enum):
    """How far a trial has come. What `FAILED` may be tried again soon, what is `REFUSED` not quite so soon."""

    OPENING = "opening"
    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"


class Trial(Protocol):
    """A source that is being opened, or is open. Used by the supervising thread, which looks at it every tick."""

    status: Status
    # Why it is not ready, for the operator.
    reason: str
    # What it can be played as, once it is ready.
    source: Source | None
    # How it is cut where it is copied; None where it is encoded.
    cut: Cut | None
    # Where a live source comes from.
    feed: Feed | None
    # Whether it waits for a sender, whose coming and going is nobody's fault.
    listens: bool

    def look(self, now_s: float) -> None:
        """Bring `status` and the rest up to date."""

    def adopt(self, stream: Stream) -> bool:
        """Go on under new settings of the same source; False: it has to be opened anew."""

    def close(self) -> None:
        """Give it up."""


class PatternTrial:
    """There is nothing to open."""

    listens = False

    def __init__(self, stream: Stream) -> None:
        self.status, self.reason = Status.READY, ""
        self.source: Source | None = TestSource(font=font())
        self.cut: Cut | None = None
        self.feed: Feed | None = None
        try:
            self.cut = cut_of(self.source, stream, {})
        except SourceRefused as refused:
            self.status, self.reason = Status.REFUSED, str(refused)

    def look(self, now_s: float) -> None:
        """See `Trial`."""

    def adopt(self, stream: Stream) -> bool:
        """See `Trial`."""
        return False

    def close(self) -> None:
        """See `Trial`."""


class FileTrial:
    """A file is examined by a thread of its own, since that may take seconds."""

    listens = False

    def __init__(self, ingest: Ingest, stream: Stream, config: WorkerConfig) -> None:
        self.status, self.reason = Status.OPENING, ""
        self.source: Source | None = None
        self.cut: Cut | None = None
        self.feed: Feed | None = None
        self._prepared = Aside(lambda: _prepare(ingest, stream, config))

    def look(self, now_s: float) -> None:
        """See `Trial`."""
        if self.status is not Status.OPENING or not self._prepared.done:
            return
        if self._prepared.result:
            self.status, (self.source, self.cut) = Status.READY, self._prepared.result
        else:
            self.status, self.reason = Status.REFUSED, self._prepared.refusal

    def adopt(self, stream: Stream) -> bool:
        """See `Trial`."""
        return False

    def close(self) -> None:
        """See `Trial`."""


def _prepare(ingest: Ingest, stream: Stream, config: WorkerConfig) -> tuple[Source, Cut | None]:
    source = prepare_file(ingest.path, config.media_dir, config.ffmpeg_environ)
    return source, cut_of(source, stream, config.ffmpeg_environ)
