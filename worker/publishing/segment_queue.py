"""The finished segments of one run, read from the playlists that it writes beside them.

The encoder's muxer renames a complete segment and replaces its playlist after that, so a listed name is a whole file.
"""

import logging
import re
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from worker.publishing.channel import PLAYLIST
from worker.publishing.playlists.media_playlist import Entry, PlaylistError, parse

log = logging.getLogger(__name__)

INDEX = re.compile(r"-(\d+)\.ts$")
# An entry shorter than this is a rounding leftover of an ending run, not a picture.
DURATION_S_MIN = 0.02
# When so many wait for the store, the oldest is dropped: the scratch directory must not fill.
WAITING_MAX = 30


@dataclass(frozen=True)
class FinishedSegment:
    """One segment in all its renditions. `has_gap`: the segment before it was lost. `target_s` is its run's."""

    run: int
    name: str
    duration_s: float
    at: datetime
    # The stream's media clock, which time stamps follow, at its end.
    ends_at_s: float
    files: Mapping[str, Path]
    is_first_of_run: bool
    has_gap: bool
    found_at_s: float
    target_s: int


class SegmentQueue:
    """The finished segments of one run, each handed out once and in order.

    Used by two threads: the supervising one looks for silence, the publishing one takes.
    """

    def __init__(
        self,
        run: int,
        directory: Path,
        renditions: Sequence[str],
        starts_at_s: float,
        target_s: int,
    ) -> None:
        self.run = run
        self.is_closed = False
        self.ends_at_s = starts_at_s
        # When its newest segment was found, by the monotonic clock.
        self.segment_at_s: float | None = None
        self._directory = directory
        self._renditions = tuple(renditions)
        # Made once: they are read many times a second.
        self._playlists = {name: directory / name / PLAYLIST for name in renditions}
        # The longest segment so far, rounded: copied ones may be longer than planned.
        self.target_s = target_s
        self._lock = threading.Lock()
        self._marks: dict[str, tuple[int, int]] = {}
        self._entries: dict[str, dict[str, Entry]] = {name: {} for name in renditions}
        self._last = -1
        self._ready: deque[FinishedSegment] = deque()

    def refresh(self) -> None:
        """Look for new segments. Cheap while there are none: a `stat` a rendition."""
        with self._lock:
            changed = [self._read(rendition) for rendition in self._renditions]
            if not any(changed):
                return
            names = set.intersection(*(set(entries) for entries in self._entries.values()))
            for name in sorted(names, key=_index):
                if _index(name) > self._last:
                    self._add(name)

    def take(self) -> FinishedSegment | None:
        """Return the next segment to publish, if there is one."""
        self.refresh()
        with self._lock:
            return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        """Note that the encoder has ended."""
        self.refresh()
        self.is_closed = True

    def discard(self) -> None:
        """Delete the run's files."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _read(self, rendition: str) -> bool:
        path = self._playlists[rendition]
        try:
            status = path.stat()
            mark = (status.st_mtime_ns, status.st_ino)
            if self._marks.get(rendition) == mark:
                return False
            playlist = parse(path.read_bytes())
        except FileNotFoundError:
            return False
        except PlaylistError as error:
            # A rename replaces it at once, so this is a fault of the muxer, not half a file.
            log.warning("a run's playlist cannot be read", extra={"rendition": rendition, "error": str(error)})
            return False
        self._marks[rendition] = mark
        self._entries[rendition] = {e.uri: e for e in playlist.entries if e.duration_s > DURATION_S_MIN}
        return True

    def _add(self, name: str) -> None:
        index, last, self._last = _index(name), self._last, _index(name)
        # The pictures are the same in all renditions; their lengths can differ by a rounding at the very end.
        longest = max((self._entries[r][name] for r in self._renditions), key=lambda entry: entry.duration_s)
        missed = index - last - 1
        self._drop(
            self._files(INDEX.sub(f"-{lost:06d}.ts", name)) for lost in range(max(last + 1, index - WAITING_MAX), index)
        )
        self.ends_at_s += longest.duration_s * (missed + 1)
        if len(self._ready) >= WAITING_MAX:
            self._drop([self._ready.popleft().files])
            if self._ready:
                self._ready[0] = replace(self._ready[0], has_gap=True)
        self.target_s = max(self.target_s, longest.rounded_s)
        self.segment_at_s = time.monotonic()
        self._ready.append(
            FinishedSegment(
                run=self.run,
                name=name,
                duration_s=longest.duration_s,
                at=longest.at,
                ends_at_s=self.ends_at_s,
                files=self._files(name),
                is_first_of_run=last == -1,
                has_gap=missed > 0,
                found_at_s=self.segment_at_s,
                target_s=self.target_s,
            )
        )

    def _files(self, name: str) -> dict[str, Path]:
        return {rendition: self._directory / rendition / name for rendition in self._renditions}

    def _drop(self, lost: Iterable[Mapping[str, Path]]) -> None:
        for files in lost:
            for path in files.values():
                path.unlink(missing_ok=True)


def _index(name: str) -> int:
    found = INDEX.search(name)
    return int(found[1]) if found else -1
