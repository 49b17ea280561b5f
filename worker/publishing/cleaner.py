"""Deletes what no playlist names any more, late enough that no viewer still fetches it."""

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterable

from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import MediaStore
from worker.publishing.channel import Channel
from worker.publishing.segment_uploader import ClaimNotRenewed

log = logging.getLogger(__name__)

LAG_S = 90.0
RETRY_S = 10.0
BATCH_MAX = 500
PENDING_MAX = 20_000
# Bounds the one listing of everything below the stream's prefix; the bucket's lifecycle deletes the rest.
SWEEP_MAX = 10_000
SEGMENT_KEY = re.compile(r"(?P<rendition>[^/]+)/(?P<epoch>\d+)-(?P<run>\d+)-\d+\.ts")


class Cleaner:
    """What is to be deleted for one channel, and when. Used by the channel's publishing thread.

    `check` raises `ClaimNotRenewed` unless the claim is safe to act on: a replaced owner may know an older ladder.
    """

    def __init__(
        self,
        media: MediaStore,
        channel: Channel,
        check: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._media = media
        self._channel = channel
        self._check = check
        self._monotonic = monotonic
        self._unnamed: list[str] = []
        self._due: deque[tuple[float, str]] = deque(maxlen=PENDING_MAX)
        self._not_before_s = 0.0
        self._sweep_at_s: float | None = monotonic() + LAG_S

    def add(self, keys: Iterable[str]) -> None:
        """Note that the playlists that will be written next do not name these keys any more."""
        self._unnamed.extend(keys)

    def start_lag(self) -> None:
        """Note that those playlists are written: the lag starts now."""
        due_s = self._monotonic() + LAG_S
        self._due.extend((due_s, key) for key in self._unnamed)
        self._unnamed.clear()

    def delete_due(self, named: Callable[[], set[str]]) -> None:
        """Delete what is due. If the store fails, retry later; nothing is raised."""
        now_s = self._monotonic()
        if now_s < self._not_before_s:
            return
        try:
            if self._sweep_at_s is not None and now_s >= self._sweep_at_s:
                self._sweep(named())
                self._sweep_at_s = None
            while self._due and self._due[0][0] <= now_s:
                batch = [key for due_s, key in list(self._due)[:BATCH_MAX] if due_s <= now_s]
                self._delete(batch)
                for _ in batch:
                    self._due.popleft()
        except (StoreUnavailable, ClaimNotRenewed) as error:
            self._not_before_s = now_s + RETRY_S
            log.warning("deletion is postponed", extra={"stream_id": self._channel.stream_id, "error": str(error)})

    def _sweep(self, named: set[str]) -> None:
        """Delete the leftovers of earlier owners, once, a lag after the start: they were unnamed before that."""
        leftovers = [
            key for key in self._media.list(self._channel.prefix, limit=SWEEP_MAX) if self._is_leftover(key, named)
        ]
        # Playlists first: a rendition that is not published any more must not name deleted segments.
        leftovers.sort(key=lambda key: key.endswith(".ts"))
        for start in range(0, len(leftovers), BATCH_MAX):
            self._delete(leftovers[start : start + BATCH_MAX])
        if leftovers:
            log.info("swept", extra={"stream_id": self._channel.stream_id, "objects": len(leftovers)})

    def _delete(self, keys: list[str]) -> None:
        self._check()
        self._media.delete(keys)

    def _is_leftover(self, key: str, named: set[str]) -> bool:
        path = key.removeprefix(self._channel.prefix)
        found = SEGMENT_KEY.fullmatch(path)
        if found:
            before = (int(found["epoch"]), int(found["run"])) < (self._channel.epoch, self._channel.first_run)
            return before and key not in named
        rendition, _, file = path.partition("/")
        return bool(file) and rendition not in self._channel.rendition_names
