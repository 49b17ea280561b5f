"""The thread that publishes a channel, one run after the other."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from chalicelib.domain.streams.runtime import PublishedRendition
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.streams.media import MediaStore
from worker.claims import HeldClaim
from worker.publishing.channel import Channel
from worker.publishing.cleaner import Cleaner
from worker.publishing.fenced_object import ClaimLost
from worker.publishing.multivariant_playlist import MultivariantPlaylist
from worker.publishing.probe import probe
from worker.publishing.publisher import Publisher
from worker.publishing.segment_prober import SegmentProber
from worker.publishing.segment_queue import FinishedSegment, SegmentQueue
from worker.publishing.segment_sampler import SegmentSampler
from worker.publishing.segment_uploader import ClaimNotRenewed, SegmentUploader
from worker.publishing.throughput import ThroughputStats

log = logging.getLogger(__name__)

POLL_S = 0.1
RETRY_S = 0.5


class Publication(threading.Thread):
    """The publishing thread. The supervising thread, which `notify` wakes, reads the results from its attributes."""

    def __init__(
        self,
        media: MediaStore,
        clock: Clock,
        channel: Channel,
        held_claim: HeldClaim,
        window_s: float,
        environ: Mapping[str, str],
        notify: Callable[[], None],
    ) -> None:
        super().__init__(name=f"publish-{channel.stream_id}", daemon=True)
        # The media clock at the start of the first run; None until the earlier owners are read and fenced off.
        self.starts_at_s: float | None = None
        # The run of the newest segment, once viewers can play it, and when it was published, by the monotonic clock.
        self.published_run: int | None = None
        self.published_at_s = 0.0
        self.throughput = ThroughputStats()
        self.error: str | None = None
        self._clock = clock
        self._channel = channel
        self._held_claim = held_claim
        self._notify = notify
        self._abandoned = threading.Event()
        # After it is abandoned, another one of the same claim may follow: a hanging write must not come after that.
        self._uploads = SegmentUploader(media, channel, lambda: held_claim.is_safe and not self._abandoned.is_set())
        self._cleaner = Cleaner(media, channel, self._uploads.check)
        probes = ThreadPoolExecutor(len(channel.renditions), thread_name_prefix=f"probe-{channel.stream_id}")
        prober = SegmentProber(partial(probe, environ=environ), channel.rendition_names, probes)
        self._multivariant = MultivariantPlaylist(media, channel, self._uploads.check, prober)
        self._publisher = Publisher(media, channel, self._uploads, self._cleaner, self._multivariant, window_s)
        self.sampler = SegmentSampler(environ, sound_only=any(each.copied for each in channel.renditions))
        self._queues: deque[SegmentQueue] = deque()
        self._retry_at_s = 0.0
        self._named_run: int | None = None
        self._finishing = threading.Event()
        self._ended = False

    @property
    def published(self) -> tuple[PublishedRendition, ...]:
        """Return the renditions as they were probed and measured, best first."""
        return self._multivariant.published

    @property
    def store_failure(self) -> tuple[str, float] | None:
        """Return what the store answers since when (monotonic); None while writes succeed."""
        return self._uploads.failure

    @property
    def upload_share(self) -> float | None:
        """Return how long the newest segments took to upload, as a share of their durations; None before the first."""
        shares = tuple(self._uploads.shares)
        return sum(shares) / len(shares) if shares else None

    def follow(self, queue: SegmentQueue) -> None:
        """Publish this run after those before it."""
        self._queues.append(queue)

    def set_window(self, window_s: float) -> None:
        """Set the window from the next segment on."""
        self._publisher.window_s = window_s

    def finish(self, *, ended: bool, by_s: float) -> bool:
        """Publish the last segments, and the playlists' end if `ended`. Return whether it was done in time.

        Return by `by_s` of the monotonic clock. The last `RETRY_S` before that are for an abandoned thread to end.
        """
        self._ended = ended
        self._finishing.set()
        self.join(max(0.0, by_s - RETRY_S - time.monotonic()))
        if self.is_alive():
            self.abandon()
            self.join(max(0.0, by_s - time.monotonic()))
            return False
        return True

    def abandon(self) -> None:
        """Write nothing more, whatever is unpublished."""
        self._abandoned.set()
        self._uploads.hurry.set()

    def run(self) -> None:
        """Publish until it is finished or abandoned."""
        try:
            while not self._abandoned.is_set() and not self._attempt(self._publisher.take_over):
                self._abandoned.wait(RETRY_S)
            if not self._abandoned.is_set():
                self.starts_at_s = self._publisher.clock_s
                self._notify()
            while not self._abandoned.is_set():
                finishing = self._finishing.is_set()
                self._step()
                if finishing and not self._queues:
                    self._finish()
                    break
                self._abandoned.wait(0.0 if finishing else POLL_S)
        except Exception as error:
            # A bug. The supervising thread sees that this one has ended, and restarts the stream.
            self.error = f"internal error: {type(error).__name__}: {error}"
            log.exception("publishing crashed", extra={"stream_id": self._channel.stream_id})
        finally:
            self._uploads.close()
            self._multivariant.prober.close()
            self.sampler.close()
            for queue in self._queues:
                queue.discard()
            self._notify()

    def _step(self) -> None:
        if self._queues:
            queue = self._queues[0]
            # Read before the segments: those that come after the last refresh would be lost.
            is_closed = queue.is_closed
            while (segment := queue.take()) and not self._abandoned.is_set():
                self._publish(segment)
            if is_closed:
                queue.discard()
                self._queues.popleft()
        if time.monotonic() >= self._retry_at_s:
            self._catch_up()
        self._cleaner.delete_due(self._publisher.named_keys)

    def _catch_up(self) -> None:
        """Write what could not be written before, and new results of the probes."""
        if self._publisher.has_unwritten:
            if self._attempt(self._publisher.flush):
                self._note_published(self._named_run)
        elif self._multivariant.prober.has_answers and self._attempt(self._publisher.refresh):
            self._note_playable(self._named_run)

    def _publish(self, segment: FinishedSegment) -> None:
        size = segment.files[self._channel.rendition_names[0]].stat().st_size
        refusals: list[str | None] = []
        done = self._attempt(lambda: refusals.append(self._publisher.publish(segment)))
        self.sampler.offer(segment)
        for path in segment.files.values():
            path.unlink(missing_ok=True)
        if refusals and refusals[0]:
            self.error = refusals[0]
            extra = {"stream_id": self._channel.stream_id, "segment": segment.name, "error": self.error}
            log.error("a segment was left out", extra=extra)
            return
        self._named_run = segment.run
        self.throughput.add(segment.duration_s, size)
        if done:
            self._note_published(segment.run)

    def _finish(self) -> None:
        if self._publisher.has_unwritten:
            self._attempt(self._publisher.flush)
        if self._ended:
            self._attempt(self._publisher.end)

    def _attempt(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except ClaimLost as error:
            log.warning(
                "another worker has the claim", extra={"stream_id": self._channel.stream_id, "error": str(error)}
            )
            self._held_claim.give_up()
            self.abandon()
            return False
        except (StoreUnavailable, ClaimNotRenewed) as error:
            self.error = f"{type(error).__name__}: {error}"
            self._retry_at_s = time.monotonic() + RETRY_S
            self._uploads.note_failure(error)
            log.warning("publishing is delayed", extra={"stream_id": self._channel.stream_id, "error": self.error})
            return False
        return True

    def _note_published(self, run: int | None) -> None:
        self.published_at_s = time.monotonic()
        self._held_claim.last_manifest_at_ms = self._clock.now_ms()
        self._note_playable(run)

    def _note_playable(self, run: int | None) -> None:
        if self._publisher.is_playable:
            self.published_run = run
        self._notify()
