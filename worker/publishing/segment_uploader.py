"""Uploads one segment in all its renditions: in parallel, with bounded retries."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import MediaStore
from worker.publishing.channel import Channel
from worker.publishing.segment_queue import FinishedSegment

log = logging.getLogger(__name__)

CONTENT_TYPE = "video/mp2t"
# How long a segment plays, in ms. The gateway logs it with every answer, so that served media can be counted in time.
MEDIA_MS = "media-ms"
RETRY_DELAYS_S = (0.2, 0.4, 0.8, 1.0)
# How long after its completion a segment is still worth storing. Viewers wait as long as nothing comes; a segment that
# is missing afterwards stops mpv once more, for as long as the segment would have played.
WORTH_TARGETS = 4
WORTH_S_MIN = 20.0
SHARES_KEPT = 3


class ClaimNotRenewed(Exception):
    """The claim could not be renewed, so nothing may be written now."""


class SegmentUploader:
    """The writes of one channel, one thread a rendition."""

    def __init__(
        self,
        media: MediaStore,
        channel: Channel,
        allowed: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._media = media
        self._channel = channel
        self._allowed = allowed
        self._monotonic = monotonic
        # What the store answers since when (monotonic); None while writes succeed.
        self.failure: tuple[str, float] | None = None
        # How long the newest segments took, as shares of their durations.
        self.shares: deque[float] = deque(maxlen=SHARES_KEPT)
        # Set when retries are pointless.
        self.hurry = threading.Event()
        self._pool = ThreadPoolExecutor(len(channel.renditions), thread_name_prefix=f"put-{channel.stream_id}")

    def check(self) -> None:
        """Raise `ClaimNotRenewed` unless the claim is safe to act on. Called before every single write."""
        if not self._allowed():
            raise ClaimNotRenewed("the claim could not be renewed in time")

    def store(self, segment: FinishedSegment) -> str | None:
        """Store a segment in every rendition. Return None, or why it was given up."""
        began_s = self._monotonic()
        deadline_s = segment.found_at_s + max(WORTH_TARGETS * self._channel.segment_seconds, WORTH_S_MIN)
        try:
            self.run_for_all(lambda name: self._store_one(segment, name, deadline_s), segment.files)
        except (StoreUnavailable, ClaimNotRenewed, OSError) as error:
            return f"{type(error).__name__}: {error}"
        self.shares.append((self._monotonic() - began_s) / segment.duration_s)
        return None

    def run_for_all(self, work: Callable[[str], None], names: Iterable[str]) -> None:
        """Run `work` for all names in parallel, wait for all, and raise the most important error."""
        futures = [self._pool.submit(work, name) for name in names]
        errors = [error for error in (future.exception() for future in futures) if error]
        if errors:
            # An unavailable store matters least: it says nothing about who owns the stream.
            raise min(errors, key=lambda error: isinstance(error, StoreUnavailable))

    def note_failure(self, error: Exception) -> None:
        """Note that a write failed, or may not be made now."""
        since_s = self.failure[1] if self.failure else self._monotonic()
        self.failure = f"{type(error).__name__}: {error}", since_s

    def close(self) -> None:
        """Stop the threads, without waiting for a write that hangs."""
        self.hurry.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _store_one(self, segment: FinishedSegment, rendition: str, deadline_s: float) -> None:
        body = segment.files[rendition].read_bytes()
        key = self._channel.key(rendition, segment.name)
        media_ms = str(round(segment.duration_s * 1000))
        attempt = 0
        while True:
            try:
                self.check()
                self._media.put(key, body, CONTENT_TYPE, metadata={MEDIA_MS: media_ms}, expires=True)
                self.failure = None
                return
            except (StoreUnavailable, ClaimNotRenewed) as error:
                self.note_failure(error)
                delay_s = RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)]
                attempt += 1
                if self._monotonic() + delay_s > deadline_s or self.hurry.wait(delay_s):
                    raise
