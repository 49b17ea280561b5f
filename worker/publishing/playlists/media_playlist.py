"""The rules of a live media playlist (RFC 8216).

A number never changes its segment, the media sequence never falls, and the discontinuity sequence counts every
discontinuity that has left the window. A comment has the epoch of the claim that wrote the playlist: a new owner's
first write so changes the object even if nothing else has changed, and shows who wrote last. Another comment has the
media clock, so that the next run's time stamps continue these: players that ignore discontinuities (mpv among them)
would otherwise lose lip-sync for as long as the interruption was.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

import m3u8

from chalicelib.domain.streams.playlist_size import ENTRIES_MAX

VERSION = 6
# Players start this many target durations behind the end of a live playlist.
START_SEGMENTS = 3
EPOCH_TAG = "#TOLLCAST-EPOCH:"
CLOCK_TAG = "#TOLLCAST-CLOCK:"
EPOCH_LINE = re.compile(rb"^" + EPOCH_TAG.encode() + rb"(\d+)\r?$", re.MULTILINE)
CLOCK_LINE = re.compile(rb"^" + CLOCK_TAG.encode() + rb"(\d+(?:\.\d+)?)\r?$", re.MULTILINE)


class PlaylistError(ValueError):
    """A stored playlist cannot be read."""


@dataclass(frozen=True)
class Entry:
    """A segment as a playlist names it. `uri` is relative to the playlist; `at` is when its first frame was made.

    `bitrate_kbps` is its size by its duration, rounded up; None where the size is not known. `listed_at` is when this
    owner listed it, by its own clock: `at` follows the source's clock, which may be minutes off after some days.
    """

    uri: str
    duration_s: float
    at: datetime
    discontinuity: bool = False
    bitrate_kbps: int | None = None
    listed_at: datetime | None = field(default=None, compare=False)

    @cached_property
    def text(self) -> str:
        """Return its lines. Rendered once, since a long window is written with every segment."""
        segment = m3u8.Segment(
            uri=self.uri,
            duration=self.duration_s,
            program_date_time=self.at,
            discontinuity=self.discontinuity,
            bitrate=self.bitrate_kbps,
        )
        return str(segment.dumps(None, timespec="milliseconds", infspec="microseconds"))

    @property
    def end(self) -> datetime:
        """Return when its last frame was over."""
        return self.at + timedelta(seconds=self.duration_s)

    @property
    def over_at(self) -> datetime:
        """Return when it was over, by this owner's clock where it has listed the segment itself."""
        return self.listed_at or self.end

    @property
    def rounded_s(self) -> int:
        """Return the lower bound of target durations while it is listed. Halves round up: the standard is vague."""
        return int(self.duration_s + 0.5)


@dataclass(frozen=True)
class Playlist:
    """One rendition's window. Immutable: changes return a new one."""

    target_s: int
    first_sequence: int = 0
    discontinuity_sequence: int = 0
    entries: tuple[Entry, ...] = ()
    # The next segment does not continue the last one.
    is_interrupted: bool = False
    # The media clock at the end of the last segment, in seconds.
    clock_s: float = 0.0

    @property
    def next_sequence(self) -> int:
        """Return the number of the next segment."""
        return self.first_sequence + len(self.entries)

    def with_interruption(self) -> "Playlist":
        """Return it with a discontinuity before the next segment, unless that is the very first."""
        return replace(self, is_interrupted=self.next_sequence > 0)

    @property
    def target_s_min(self) -> int:
        """Return the least target duration that all of its segments keep to; 0 without any."""
        return max((entry.rounded_s for entry in self.entries), default=0)

    def append(self, entry: Entry, clock_s: float) -> "Playlist":
        """Return it with one segment more, at whose end the media clock is at `clock_s`."""
        marked = replace(entry, discontinuity=self.is_interrupted or entry.discontinuity)
        return replace(self, entries=(*self.entries, marked), is_interrupted=False, clock_s=clock_s)

    def trim(self, window_s: float, now: datetime) -> "Playlist":
        """Return it without its oldest segments.

        These are the ones that the window does not need, that were over before it began, or that make the file too
        large. The last `START_SEGMENTS` stay, but none from before the last discontinuity: that may have been long ago.
        """
        begin = now - timedelta(seconds=window_s)
        spare_s = sum(entry.duration_s for entry in self.entries) - window_s
        removable = len(self.entries) - self._kept_count
        count = 0
        for entry in self.entries[:removable]:
            too_many = len(self.entries) - count > ENTRIES_MAX
            if spare_s < entry.duration_s and entry.over_at >= begin and not too_many:
                break
            spare_s -= entry.duration_s
            count += 1
        return self.without_first(count)

    @property
    def _kept_count(self) -> int:
        """Return how many of its last segments stay in every window."""
        newest = self.entries[-START_SEGMENTS:]
        behind = (count for count, entry in enumerate(reversed(newest), 1) if entry.discontinuity)
        return next(behind, len(newest))

    def without_older(self, moment: datetime) -> "Playlist":
        """Return it without segments that were over before `moment`, for a stream that was off for long."""
        old = (index for index, entry in enumerate(self.entries) if entry.end >= moment)
        return self.without_first(next(old, len(self.entries)))

    def without_first(self, count: int) -> "Playlist":
        """Return it without its first `count` segments; both sequences follow."""
        gone = sum(entry.discontinuity for entry in self.entries[:count])
        return replace(
            self,
            first_sequence=self.first_sequence + count,
            discontinuity_sequence=self.discontinuity_sequence + gone,
            entries=self.entries[count:],
        )

    def render(self, epoch: int, *, ended: bool = False) -> bytes:
        """Return the playlist as text."""
        head = m3u8.M3U8()
        head.version = str(VERSION)
        head.media_sequence = self.first_sequence
        head.discontinuity_sequence = self.discontinuity_sequence
        head.target_duration = self.target_s
        head.is_independent_segments = True
        first, *others = head.dumps().rstrip("\n").split("\n")
        lines = [first, f"{EPOCH_TAG}{epoch}", f"{CLOCK_TAG}{self.clock_s:.6f}", *others]
        lines += [entry.text for entry in self.entries]
        if ended:
            lines.append("#EXT-X-ENDLIST")
        return ("\n".join(lines) + "\n").encode()


def parse(body: bytes) -> Playlist:
    """Return a stored playlist, to be continued. Raise `PlaylistError`."""
    try:
        read = m3u8.loads(body.decode())
        entries = tuple(
            Entry(segment.uri, segment.duration, segment.program_date_time, segment.discontinuity, segment.bitrate)
            for segment in read.segments
        )
        # ffmpeg writes 0 while its segments are shorter than half a second.
        if read.target_duration is None or not all(entry.at and entry.duration_s is not None for entry in entries):
            raise PlaylistError("the stored playlist has no target duration, or a segment without its time")
        return Playlist(
            target_s=int(read.target_duration),
            first_sequence=int(read.media_sequence or 0),
            discontinuity_sequence=int(read.discontinuity_sequence or 0),
            entries=entries,
            clock_s=float(clock[1]) if (clock := CLOCK_LINE.search(body)) else 0.0,
        )
    except (ValueError, LookupError, TypeError, AttributeError, m3u8.ParseError) as error:
        raise PlaylistError(f"the stored playlist cannot be read: {error}") from None


def epoch_of(body: bytes) -> int:
    """Return the epoch of the claim that wrote this playlist; 0 if none did."""
    found = EPOCH_LINE.search(body)
    return int(found[1]) if found else 0
