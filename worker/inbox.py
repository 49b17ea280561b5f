"""What one run of ffmpeg has finished: read from the playlists that it writes beside its segments.

ffmpeg renames a segment when it is complete and replaces its playlist after that, so a name in there is a whole file.
"""

import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from worker.playlist import PlaylistError, parse

log = logging.getLogger(__name__)

INDEX = re.compile(r"-(\d+)\.ts$")
PLAYLIST = "index.m3u8"
# An entry shorter than this is a rounding leftover of an ending ffmpeg, not a picture.
DURATION_S_MIN = 0.02


@dataclass(frozen=True)
class Finished:
    """One segment in all its renditions. `gap`: what should stand before it was lost."""

    run: int
    name: str
    duration_s: float
    at: datetime
    files: Mapping[str, Path]
    first_of_run: bool
    gap: bool
    found_at_s: float


class Inbox:
    """The finished segments of one run, each handed out once and in order."""

    def __init__(self, run: int, directory: Path, renditions: Sequence[str]) -> None:
        self.run = run
        self.closed = False
        self._directory = directory
        self._renditions = tuple(renditions)
        self._marks: dict[str, tuple[int, int]] = {}
        self._entries: dict[str, dict[str, tuple[float, datetime]]] = {name: {} for name in renditions}
        self._last = -1

    def close(self) -> None:
        """ffmpeg has ended: what is there is all."""
        self.closed = True

    def poll(self, now_s: float) -> list[Finished]:
        """What is new. Cheap while nothing has changed: a `stat` a rendition."""
        changed = [self._refresh(rendition) for rendition in self._renditions]
        if not any(changed):
            return []
        names = set.intersection(*(set(entries) for entries in self._entries.values()))
        return [self._finished(name, now_s) for name in sorted(names) if _index(name) > self._last]

    def discard(self) -> None:
        """Remove the run's files."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _refresh(self, rendition: str) -> bool:
        path = self._directory / rendition / PLAYLIST
        try:
            status = path.stat()
            mark = (status.st_mtime_ns, status.st_ino)
            if self._marks.get(rendition) == mark:
                return False
            playlist = parse(path.read_bytes())
        except FileNotFoundError:
            return False
        except PlaylistError as error:
            # Replaced at once by rename, so this is a fault of ffmpeg's, not half a file.
            log.warning("ffmpeg's playlist was not understood", extra={"rendition": rendition, "error": str(error)})
            return False
        self._marks[rendition] = mark
        self._entries[rendition] = {
            entry.uri: (entry.duration_s, entry.at) for entry in playlist.entries if entry.duration_s > DURATION_S_MIN
        }
        return True

    def _finished(self, name: str, now_s: float) -> Finished:
        index, last = _index(name), self._last
        if index != last + 1:
            self._drop(name, range(last + 1, index))
        self._last = index
        # The pictures are the same in all renditions; their lengths can differ by a rounding at the very end.
        duration_s, at = max(self._entries[rendition][name] for rendition in self._renditions)
        return Finished(
            run=self.run,
            name=name,
            duration_s=duration_s,
            at=at,
            files={rendition: self._directory / rendition / name for rendition in self._renditions},
            first_of_run=last == -1,
            gap=index != last + 1,
            found_at_s=now_s,
        )

    def _drop(self, name: str, indexes: range) -> None:
        for index in indexes:
            missed = INDEX.sub(f"-{index:06d}.ts", name)
            for rendition in self._renditions:
                (self._directory / rendition / missed).unlink(missing_ok=True)


def _index(name: str) -> int:
    found = INDEX.search(name)
    return int(found[1]) if found else -1
