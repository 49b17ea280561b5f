"""Probes the first segment of each run beside the publishing thread, which never waits for it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

from worker.publishing.playlists.variants import MediaInfo
from worker.publishing.segment_queue import FinishedSegment

# A failed probe is repeated with later segments, this often a run.
TRIES_MAX = 3

Probe = Callable[[bytes], MediaInfo | None]


class SegmentProber:
    """The media info of each rendition, from the newest run that was probed. Used by one thread."""

    def __init__(self, probe: Probe, renditions: Sequence[str], pool: Executor) -> None:
        self.media_info: dict[str, MediaInfo] = {}
        self._probe = probe
        self._renditions = tuple(renditions)
        self._pool = pool
        self._asked: dict[str, Future[MediaInfo | None]] = {}
        # The run that is to be probed, and the one that was probed last.
        self._run: int | None = None
        self._asked_run: int | None = None
        self._tries = 0

    @property
    def has_answers(self) -> bool:
        """Return whether there is something to collect."""
        return bool(self._asked) and all(future.done() for future in self._asked.values())

    @property
    def is_settled(self) -> bool:
        """Return whether nothing more will be found about this run."""
        return not self._asked and not self._tries

    def probe(self, segment: FinishedSegment) -> None:
        """Probe this segment, if its run is new or could not be probed yet."""
        # Not by `is_first_of_run`: the first one may have been left out.
        if segment.run != self._run:
            self._run, self._tries = segment.run, TRIES_MAX
        if not self._tries or self._asked:
            return
        self._tries -= 1
        self._asked_run = segment.run
        # Read at once: the files are deleted as soon as the segment is published.
        bodies = {name: segment.files[name].read_bytes() for name in self._renditions}
        self._asked = {name: self._pool.submit(self._probe, body) for name, body in bodies.items()}

    def collect(self) -> None:
        """Take the answers, if all have come."""
        if not self.has_answers:
            return
        answers = {name: future.result() for name, future in self._asked.items()}
        self._asked = {}
        if self._asked_run != self._run:
            # Another run is published by now, which may be of another kind.
            return
        if all(answers.values()):
            self._tries = 0
        self.media_info.update({name: media_info for name, media_info in answers.items() if media_info})

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
