"""One media playlist while its source is open: what of it is passed on, and when it brought something new."""

from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from worker.ingest.hls.addresses import absolute_url
from worker.ingest.hls.media_playlist import MediaPlaylist, Segment, SegmentPlace, write_media_playlist
from worker.ingest.hls.played import Delivery, PlayedSegments, SegmentId

STILL_S_MIN = 10.0
STILL_TARGETS = 3
# A client may still fetch what has just left the playlist, and an edge server may list it again.
NUMBERS_KEPT = 100
# An edge server may be behind by as much as the playlist is long, or by so many numbers. Else it is a restart.
BEHIND_MAX = 5
# A client may fetch so many segments before it plays the first: it examines the tracks for 5 s.
READ_AHEAD_MAX = 6


@dataclass
class Decision:
    """What was decided about a segment when it was first listed. `place` None: it is left out."""

    segment: SegmentId
    # The key of its first address: later ones may have other tokens.
    content_key: bytes
    uri: str
    duration_s: float
    place: SegmentPlace | None
    # The length of its byte range.
    length: int | None
    # The address, offset and length of its init section.
    init: tuple[str, int, int | None] | None
    is_fetched: bool = False


@dataclass
class LivePlaylist:
    """The state of one playlist. `looked_at_s` is the client's last request, `new_at_s` when something was new."""

    url: str
    opening: int
    played: PlayedSegments = field(repr=False)
    new_at_s: float
    looked_at_s: float
    target_s: float = 1.0
    is_ended: bool = False
    # When it may be asked for next, and how often.
    next_request_s: float = 0.0
    request_interval_s: float = 0.0
    # When it listed a segment in another format: it ends before that for this opening.
    format_changed_at_s: float | None = None
    # It had an end at the first request.
    is_recording: bool = False
    # When all fetched segments have been played, at the pace of the clock.
    content_ends_at_s: float = 0.0
    # Of the segments fetched last, the number of the discontinuity that each begins; 0: it begins none.
    recent_tags: deque[int] = field(default_factory=lambda: deque(maxlen=READ_AHEAD_MAX))
    # The server repeats old segments: what it lists counts as new only after one of them is.
    is_repeating: bool = False
    _decided: dict[int, Decision] = field(default_factory=dict)
    _passed_on: set[bytes] = field(default_factory=set)
    _newest: int = -1
    _newest_passed_on: int = -1
    # By how much numbers and discontinuities that are passed on differ from the server's.
    _shift: int = 0
    _extra_discontinuities: int = 0
    # Something was left out before the next segment that is passed on.
    _is_cut: bool = False
    # The init section of this opening, and the number of the discontinuity where it was listed last.
    _format: tuple[str, int, int | None] | None = None
    _format_listed_at: int | None = None

    def update(self, body: bytes, playlist: MediaPlaylist, now_s: float) -> bytes | None:
        """Decide about new segments. Return what is passed on, or None if all of it was handed out before."""
        self.looked_at_s, self.target_s, self.is_ended = now_s, playlist.target_s, playlist.is_ended
        if not playlist.segments:
            return body
        ids = {each.number: self._id_of(each) for each in playlist.segments}
        if self._newest >= 0 and self._went_back(ids):
            self._restart(min(ids))
        start = min(ids) if self._decided else self._first_new(ids)
        has_new = False
        for segment in playlist.segments:
            if segment.number > self._newest:
                kept = segment.number >= start and not self._is_repeat(ids[segment.number])
                if kept and self._changes_format(segment):
                    self.format_changed_at_s, self.is_ended = self.format_changed_at_s or now_s, True
                    break
                self._decide(segment, ids[segment.number], kept)
                has_new = has_new or kept
            elif segment.number in self._decided:
                # Its address may have another token now.
                decision = self._decided[segment.number]
                decision.segment, decision.uri = ids[segment.number], segment.uri
                decision.init = self._init_of(segment)
        if has_new and not self.is_repeating:
            self.new_at_s = now_s
        self._forget(min(ids) - NUMBERS_KEPT)
        return None if self._newest_passed_on < 0 else self._write(body, playlist)

    def is_init(self, url: str, offset: int, length: int | None) -> bool:
        """Return whether this range is an init section, and no segment as well."""
        wanted, decided = (url, offset, length), self._decided.values()
        if all(each.init != wanted for each in decided):
            return False
        return all((each.segment.url, each.segment.offset, each.length) != wanted for each in decided)

    def find(self, url: str, offset: int) -> Decision | None:
        """Return the decision about the segment at this address, if it is one of this playlist."""
        found = [each for each in self._decided.values() if each.segment.url == url]
        exact = [each for each in found if each.segment.offset == offset] or found
        # Under several numbers it was passed on under one.
        passed_on = [each for each in exact if each.place] or exact
        if self.is_recording:
            # In a recording it was passed on under each.
            passed_on = [each for each in passed_on if not each.is_fetched][:1] or passed_on
        return passed_on[-1] if passed_on else None

    def record_fetch(self, decision: Decision, now_s: float) -> None:
        """Note that a segment is handed out now."""
        self.played.add(decision.segment, self.delivery_as(decision.segment.number))
        if self.is_repeating:
            self.is_repeating, self.new_at_s = False, now_s
        if not decision.is_fetched:
            decision.is_fetched, place = True, decision.place
            self.recent_tags.append(place.discontinuity_number if place and place.is_discontinuity else 0)
            self.content_ends_at_s = max(self.content_ends_at_s, now_s) + decision.duration_s

    def delivery_as(self, number: int) -> Delivery:
        """Return how the segment with this number is remembered."""
        return Delivery(self.opening, self.url, number, self.is_recording)

    @property
    def is_over(self) -> bool:
        """Return whether it has ended and all of it was fetched."""
        return self.is_ended and all(each.is_fetched for each in self._decided.values() if each.place)

    @property
    def still_s_max(self) -> float:
        """Return for how long it may bring nothing new."""
        return max(STILL_S_MIN, STILL_TARGETS * self.target_s)

    def _id_of(self, segment: Segment) -> SegmentId:
        known = self._decided.get(segment.number)
        if known and known.uri == segment.uri and known.segment.offset == segment.offset:
            return known.segment
        return SegmentId(segment.number, absolute_url(self.url, segment.uri), segment.offset)

    def _init_of(self, segment: Segment) -> tuple[str, int, int | None] | None:
        place = segment.init_range
        return (absolute_url(self.url, place[0]), *place[1:]) if place else None

    def _changes_format(self, segment: Segment) -> bool:
        """Return whether a discontinuity brings another init section: libavformat would keep to the first one."""
        place = self._init_of(segment)
        # Its query may be a token.
        found = (urlsplit(place[0]).path, *place[1:]) if place else None
        at, before = segment.discontinuity_number, self._format_listed_at
        if before is not None and found != self._format and (at != before or self._is_cut):
            return True
        self._format, self._format_listed_at = found, at
        return False

    def _went_back(self, ids: dict[int, SegmentId]) -> bool:
        """Return whether its numbers are lower than before and it is no older copy from another server."""
        behind = self._newest - max(ids)
        if behind <= 0:
            return False
        both = ids.keys() & self._decided
        known = [self._decided[number].segment.place_key == ids[number].place_key for number in both]
        return behind > max(len(ids), BEHIND_MAX) or not known or not all(known)

    def _restart(self, first_number: int) -> None:
        """Continue the numbers that were passed on, so that the client does not wait for ones long past."""
        self.opening = self.played.next_opening()
        self.played.restart(self.url, first_number - 1)
        self._decided.clear()
        self._passed_on.clear()
        self._newest, self._shift, self._is_cut = first_number - 1, first_number - self._newest_passed_on - 1, True

    def _first_new(self, ids: dict[int, SegmentId]) -> int:
        """Return the number after the last segment that an earlier opening has handed out."""
        first, last = min(ids), max(ids)
        newest = self.played.newest_number(self.url)
        repeated = [number for number, each in ids.items() if self._is_repeat(each)]
        if (
            newest is not None
            and last < newest
            and (newest - last > max(len(ids), BEHIND_MAX) or len(repeated) < len(ids))
        ):
            # The server was restarted. It may reuse old names for new segments: their content decides.
            self.played.restart(self.url, first - 1)
            return first
        return max(repeated, default=first - 1) + 1

    def _is_repeat(self, segment: SegmentId) -> bool:
        is_listed_twice = segment.content_key in self._passed_on and not self.is_recording
        return is_listed_twice or self.played.has(segment, self.delivery_as(segment.number))

    def _decide(self, segment: Segment, as_listed: SegmentId, kept: bool) -> None:
        place, count, key = None, segment.discontinuities, as_listed.content_key
        if kept:
            is_discontinuity = count > 0 or self._is_cut
            self._extra_discontinuities += is_discontinuity - count
            number = segment.number - self._shift
            place = SegmentPlace(number, is_discontinuity, segment.discontinuity_number + self._extra_discontinuities)
            self._newest_passed_on, self._is_cut = number, False
            self._passed_on.add(key)
        elif self._newest_passed_on >= 0:
            self._shift += 1
            self._extra_discontinuities -= count
            self._is_cut = True
        self._newest = segment.number
        init = self._init_of(segment)
        self._decided[segment.number] = Decision(
            as_listed, key, segment.uri, segment.duration_s, place, segment.length, init
        )

    def _write(self, body: bytes, playlist: MediaPlaylist) -> bytes:
        """Return the playlist byte for byte, unless something in it has to change."""
        decided = (self._decided.get(each.number) for each in playlist.segments)
        places = {each.segment.number: each.place for each in decided if each and each.place}
        for each in playlist.segments:
            if places.get(each.number) != SegmentPlace(
                each.number, each.discontinuities > 0, each.discontinuity_number
            ):
                return write_media_playlist(playlist, places)
        return body

    def _forget(self, before: int) -> None:
        for number in [number for number in self._decided if number < before]:
            self._passed_on.discard(self._decided.pop(number).content_key)
