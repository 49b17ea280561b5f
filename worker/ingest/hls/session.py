"""The HLS of one opening of a source: the egress proxy passes every playlist and segment through it."""

import math
import re
import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from worker.ingest.errors import EgressRefused
from worker.ingest.hls.addresses import absolute_url, check_addresses, place_of
from worker.ingest.hls.live_playlist import Decision, LivePlaylist
from worker.ingest.hls.media_playlist import read_media_playlist
from worker.ingest.hls.played import PLAYLISTS_MAX, PlayedSegments
from worker.ingest.hls.variants import VariantLimits, best_variant

# Segments are compared by this much of their beginning: it has the first picture and its time stamp.
SEGMENT_START_BYTES = 16_384
# Shorter answers hold no picture.
SEGMENT_START_BYTES_MIN = 188
# Sound without time stamps: its silence is always the same.
BARE_SOUND = b"\xff"
# When a source is over, its client gets an end, so that nothing stays in its buffers. It asks every half target.
# A client that has not ended this long after that is killed.
END_MARGIN_S = 2.0
# A client asks about when its segments end, and next after half a target.
EARLY_S = 0.5
# A client asks for a playlist with zero durations as often as it can. Requests wait for this long after the last, and
# for this many times the processor time that the last took.
REQUEST_INTERVAL_S = 0.5
IDLE_FACTOR = 4.0
END_LIST = b"\n#EXT-X-ENDLIST\n"
# What takes the beginning of a segment, and the length of the whole, if it is known.
Accept = Callable[[bytes, int | None], None]
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")


class HlsSession:
    """The playlists of one opening. Used by the threads of its `Egress` and by the supervising thread.

    `limits` is what the ladder can use; `played` is what earlier openings of the source have handed out.
    """

    def __init__(
        self,
        limits: VariantLimits | None = None,
        played: PlayedSegments | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._limits = limits or VariantLimits()
        self._played = played or PlayedSegments()
        self._opening = self._played.next_opening()
        self._lock = threading.Lock()
        self._live: dict[str, LivePlaylist] = {}
        # How many variants the source has; 0 if it is not a multivariant playlist.
        self.variant_count = 0
        self._variant_url = ""

    def delay_s(self, url: str) -> float:
        """Reserve the time of a request and return how long it has to wait: playlists are asked for at a pace."""
        now_s = self._clock()
        with self._lock:
            live = self._live.get(absolute_url(url, ""))
            if live is None:
                return 0.0
            at_s = max(now_s, live.next_request_s)
            live.next_request_s = at_s + live.request_interval_s
            return at_s - now_s

    def playlist(self, url: str, body: bytes) -> bytes:
        """Return the playlist to pass on.

        Raise `EgressRefused` if all of it was played before, or if it names what may not be opened.
        """
        choice = best_variant(body, self._limits, lambda uri: self._played.is_avoided(absolute_url(url, uri)))
        if choice:
            self.variant_count, self._variant_url = choice.count, absolute_url(url, choice.uri)
            body = choice.body
        check_addresses(body, place_of(url))
        return body if choice else self._media_playlist(absolute_url(url, ""), body)

    def _media_playlist(self, url: str, body: bytes) -> bytes:
        now_s, began_s = self._clock(), time.thread_time()
        with self._lock:
            if url not in self._live and len(self._live) >= PLAYLISTS_MAX:
                raise EgressRefused(HTTPStatus.FORBIDDEN, f"more than {PLAYLISTS_MAX} media playlists")
        read = read_media_playlist(body)
        with self._lock:
            live = self._live.get(url)
            if live is None:
                live = LivePlaylist(url, self._opening, self._played, now_s, now_s, is_recording=read.is_ended)
            passed_on = live.update(body, read, now_s)
            if passed_on is None:
                still = f"the playlist at {place_of(url)} has had no new segment since it was played last"
                raise EgressRefused(HTTPStatus.NOT_FOUND, _ended(url) if read.is_ended else still)
            live.request_interval_s = max(REQUEST_INTERVAL_S, IDLE_FACTOR * (time.thread_time() - began_s))
            live.next_request_s = max(live.next_request_s, now_s + live.request_interval_s)
            self._live[url] = live
            is_over = now_s >= max(self._still_until_s(), self._content_ends_at_s()) - EARLY_S
            is_over = is_over or self._ends_for_change(live, now_s)
        return passed_on.rstrip() + END_LIST if is_over and not read.is_ended else passed_on

    def record_miss(self, url: str, status: HTTPStatus) -> None:
        """Note that a client's request was answered by an error."""
        url = absolute_url(url, "")
        with self._lock:
            if live := self._live.get(url):
                live.looked_at_s = self._clock()
        is_gone = status < HTTPStatus.INTERNAL_SERVER_ERROR
        if url == self._variant_url and is_gone and self._played.newest_number(url) is None:
            # The next opening takes another variant, unless this one has played: another would repeat its seconds.
            self._played.avoid(url)

    def segment(self, url: str, byte_range: str = "") -> Accept | None:
        """Return what to call with the beginning and the length of the segment at this address, before it is passed on.

        None if no live playlist has named it, or only as an init section, which clients fetch repeatedly. The function
        raises `EgressRefused` if the segment was handed out before.
        """
        url, found = absolute_url(url, ""), _RANGE.match(byte_range)
        offset = int(found[1]) if found else 0
        length = int(found[2]) + 1 - offset if found and found[2] else None
        with self._lock:
            if any(live.is_init(url, offset, length) for live in self._live.values()):
                return None
            for live in self._live.values():
                if decision := live.find(url, offset):
                    return partial(self._accept, live, decision)
        return None

    def stillness(self) -> str | None:
        """Return a sentence if the playlists have brought nothing new for longer than usual; else None."""
        with self._lock:
            newest = max(self._unended(), key=lambda each: each.new_at_s, default=None)
        still_s = self._clock() - newest.new_at_s if newest else 0.0
        if newest is None or still_s <= 2 * newest.target_s:
            return None
        return f"the playlist at {place_of(newest.url)} has had no new segment for {still_s:.0f} s"

    def failure(self) -> str | None:
        """Return why the source has failed: nothing new is listed and what was fetched has been played."""
        with self._lock:
            if not self._unended():
                return None
            target_s = max(each.target_s for each in self._unended())
            still_until_s = self._still_until_s()
            due_s = max(still_until_s, self._content_ends_at_s() + END_MARGIN_S + target_s / 2)
            # The client must have had a chance to get something new.
            has_asked = max(each.looked_at_s for each in self._unended()) >= still_until_s - target_s
        return self.stillness() if has_asked and self._clock() >= due_s else None

    def recent_tags(self) -> list[int]:
        """Return the numbers of the discontinuities at which the last fetched segments begin, in order."""
        with self._lock:
            return sorted({tag for each in self._live.values() for tag in each.recent_tags if tag})

    def ending(self) -> str | None:
        """Return a sentence if all playlists have ended and were fetched; else None."""
        with self._lock:
            is_over = bool(self._live) and all(each.is_over for each in self._live.values())
            return _ended(next(iter(self._live))) if is_over else None

    def changes_format(self) -> bool:
        """Return whether it was ended where the format changes, and is to be opened again."""
        with self._lock:
            return any(each.format_changed_at_s is not None and each.is_over for each in self._live.values())

    def _ends_for_change(self, live: LivePlaylist, now_s: float) -> bool:
        """Return whether this playlist or, for a while, another one has come to another format."""
        changed = [each for each in self._live.values() if each.format_changed_at_s is not None]
        return live in changed or any(now_s - (each.format_changed_at_s or 0) >= each.target_s for each in changed)

    def _unended(self) -> list[LivePlaylist]:
        return [each for each in self._live.values() if not each.is_ended]

    def _still_until_s(self) -> float:
        """Return until when a playlist without anything new has not failed."""
        live = self._unended()
        return max(each.new_at_s for each in live) + max(each.still_s_max for each in live) if live else math.inf

    def _content_ends_at_s(self) -> float:
        return max((each.content_ends_at_s for each in self._unended()), default=0.0)

    def _accept(self, live: LivePlaylist, decision: Decision, start: bytes, length: int | None) -> None:
        with self._lock:
            delivery = live.delivery_as(decision.segment.number)
            is_telling = len(start) >= SEGMENT_START_BYTES_MIN and not start.startswith(BARE_SOUND)
            if is_telling and not self._played.add_start(start + repr(length).encode(), delivery):
                live.is_repeating = True
                reason = f"{place_of(live.url)} sends a segment again that was played before"
                raise EgressRefused(HTTPStatus.NOT_FOUND, reason)
            live.record_fetch(decision, self._clock())


def _ended(url: str) -> str:
    return f"the playlist at {place_of(url)} has ended"
