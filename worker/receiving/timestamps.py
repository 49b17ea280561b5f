"""The time stamps of one source on one time line: pure rules, all times in microseconds.

Encoders restart, loops begin again, 33-bit clocks wrap, and one track's clock may jump while the others go on. A packet
that does not continue its track gets another offset: one that another track took before, so that tracks that jump
together stay in step, or a new one that continues the time line.

A skip that is short enough to be a pause is kept, unless the source declares a discontinuity there.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# A decoding time that falls back by more is a jump and not disorder.
BACK_US = 500_000
# How far one track may be behind the others.
LAG_US = 10_000_000
# How far a recording's next packet may be ahead of all before: longer than slides without sound last. With picture and
# sound, one of them shows how much time has passed.
AHEAD_US = 15_000_000
AHEAD_TWO_TRACKS_US = 3_000_000
# A live packet may be ahead by as much as the clock went on since the packet before, and this much for a burst.
AHEAD_LIVE_US = 1_500_000
# Longer skips of both tracks behind a discontinuity tag are closed. Shorter ones are an encoder's inaccuracy.
SKIP_US = 200_000
# A packet without a duration lasts as long as the one before; until that is known, as long as a picture at 25 a second.
STEP_US = 40_000
STEP_US_MAX = 1_000_000
OFFSETS_KEPT = 3


@dataclass(frozen=True)
class PacketTimes:
    """A packet's own times; None where its source does not give them. `duration_us` is 0 if it is not known."""

    dts_us: int | None
    pts_us: int | None
    duration_us: int = 0


@dataclass
class _Track:
    """A track. `next_us` is when the next packet is decoded, `end_us` until when something is shown or heard.

    `reached_us` is the same, but a slide counts for a second: its length is not known before the next one. `tag` is the
    newest discontinuity tag at which the track took another offset.
    """

    offset_us: int
    next_us: int
    step_us: int = STEP_US
    end_us: int = 0
    reached_us: int = 0
    tag: int = 0


class TimestampCorrector:
    """The time line of one source. `jumps` counts the offsets that had to be made since the first.

    `tags` returns the numbers, in order, of the discontinuity tags before what is read about now.
    """

    def __init__(self, *, is_live: bool, tags: Callable[[], Sequence[int]] = tuple) -> None:
        self.jumps = 0
        self._is_live = is_live
        self._tags = tags
        # The newest tag at which a track has taken another offset.
        self._newest_tag = 0
        self._tracks: dict[int, _Track] = {}
        # How many tracks there are, with the one that begins.
        self._count = 0
        self._offsets: deque[int] = deque(maxlen=OFFSETS_KEPT)
        self._arrived_us: int | None = None

    @property
    def end_us(self) -> int:
        """Return the end of the time line."""
        return max((track.end_us for track in self._tracks.values()), default=0)

    @property
    def _reached_us(self) -> int:
        """Return the end of the time line, without slides where another track shows how much time has passed."""
        if self._count == 1:
            return self.end_us
        return max((track.reached_us for track in self._tracks.values()), default=0)

    def correct(self, number: int, packet: PacketTimes, arrived_us: int) -> tuple[int, int]:
        """Return when this packet is decoded on the time line, and how much to add to its own times.

        `number` is its track's, `arrived_us` a monotonic clock's.
        """
        dts_us, duration_us = packet.dts_us, packet.duration_us
        waited_us = 0 if self._arrived_us is None else arrived_us - self._arrived_us
        self._arrived_us = arrived_us
        track = self._tracks.get(number)
        if dts_us is None and track:
            # It belongs to the last packet, and moves nothing.
            return track.next_us, track.offset_us
        dts_us = dts_us or 0
        pts_us = dts_us if packet.pts_us is None else packet.pts_us
        if track is None:
            track = self._tracks[number] = self._begin(dts_us, pts_us, waited_us)
        elif not self._fits(dts_us + track.offset_us, track.next_us, self._ahead_us(waited_us)):
            self._pass_tag(track)
            track.offset_us = self._other_offset(dts_us, pts_us, track, self._ahead_us(waited_us))
        elif dts_us + track.offset_us - track.next_us > SKIP_US:
            self._close_skip(dts_us, pts_us, track)
        at_us = dts_us + track.offset_us
        if not duration_us and 0 < at_us - (track.next_us - track.step_us) < STEP_US_MAX:
            track.step_us = at_us - (track.next_us - track.step_us)
        elif duration_us:
            track.step_us = min(duration_us, STEP_US_MAX)
        track.next_us = at_us + track.step_us
        track.end_us = max(track.end_us, pts_us + track.offset_us + (duration_us or track.step_us))
        track.reached_us = max(track.reached_us, pts_us + track.offset_us + track.step_us)
        return at_us, track.offset_us

    def restart(self, start_us: int) -> None:
        """Continue the time line with a source that begins again at `start_us`."""
        offset_us = self.end_us - start_us
        self._offsets.clear()
        self._offsets.appendleft(offset_us)
        for track in self._tracks.values():
            track.offset_us = offset_us

    def _begin(self, dts_us: int, pts_us: int, waited_us: int) -> _Track:
        """Return a track for its first packet, in step with the others where possible."""
        self._count += 1
        if not self._tracks:
            offset_us = self._offsets[0] if self._offsets else -pts_us
            self._offsets.appendleft(offset_us)
            return _Track(offset_us, dts_us + offset_us)
        for offset_us in self._offsets:
            if self._fits(dts_us + offset_us, self._reached_us - LAG_US, self._ahead_us(waited_us)):
                return _Track(offset_us, dts_us + offset_us)
        offset_us = self._reached_us - pts_us
        return _Track(offset_us, dts_us + offset_us)

    def _close_skip(self, dts_us: int, pts_us: int, track: _Track) -> None:
        """Give another offset to a track that skips ahead behind a tag. Any other skip is a pause, and is kept."""
        if dts_us + track.offset_us > self.end_us + SKIP_US:
            if self._pass_tag(track):
                track.offset_us = self._other_offset(dts_us, pts_us, track, SKIP_US)
        elif track.tag != self._newest_tag and self._fits(dts_us + self._offsets[0], track.next_us, SKIP_US):
            # The other track passed the tag first, and has come further since.
            track.tag, track.offset_us = self._newest_tag, self._offsets[0]

    def _pass_tag(self, track: _Track) -> bool:
        """Count a tag as passed by this track; return False if there is no new one."""
        tag = next((tag for tag in self._tags() if tag > track.tag), 0)
        if tag:
            track.tag, self._newest_tag = tag, max(tag, self._newest_tag)
        return tag > 0

    def _other_offset(self, dts_us: int, pts_us: int, track: _Track, ahead_us: int) -> int:
        for offset_us in self._offsets:
            if offset_us != track.offset_us and self._fits(dts_us + offset_us, track.next_us, ahead_us):
                return offset_us
        self.jumps += 1
        # What is shown continues; a picture is decoded some time before.
        offset_us = self._reached_us - pts_us
        self._offsets.appendleft(offset_us)
        return offset_us

    def _ahead_us(self, waited_us: int) -> int:
        """Return how far a packet may be ahead of everything before."""
        if self._is_live:
            return AHEAD_LIVE_US + waited_us
        return AHEAD_TWO_TRACKS_US if self._count > 1 else AHEAD_US

    def _fits(self, at_us: int, next_us: int, ahead_us: int) -> bool:
        reached_us = self._reached_us
        return max(next_us - BACK_US, reached_us - LAG_US) <= at_us <= max(next_us, reached_us) + ahead_us
