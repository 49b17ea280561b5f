"""The segments of one source that were handed out, remembered over all openings of the source."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar
from urllib.parse import urlsplit

# More than an hour of short segments. A source that repeats itself after a longer time is not recognised.
SEGMENTS_MAX = 2_000
PLAYLISTS_MAX = 32
KEY_BYTES = 16

Value = TypeVar("Value")


@dataclass(frozen=True)
class SegmentId:
    """A segment as one playlist names it. `url` is absolute; `offset` is where its byte range begins."""

    number: int
    url: str
    offset: int = 0

    @property
    def content_key(self) -> bytes:
        """Return a key that is the same for the same resource under any number."""
        return _key(self.url, self.offset)

    @property
    def place_key(self) -> bytes:
        """Return a key of the number and the path, which ignores the host and the query (a token that expires)."""
        return _key(self.number, urlsplit(self.url).path, self.offset)


@dataclass(frozen=True)
class Delivery:
    """By which opening, from which playlist and under which number a segment was handed out."""

    opening: int
    playlist: str
    number: int
    # A recording may name a segment twice, such as a caption, and still ends.
    in_recording: bool = False

    def is_repeated_as(self, other: "Delivery") -> bool:
        """Return whether `other` repeats it, and is no second request or other rendition with the same file."""
        if self.opening == other.opening:
            return self.playlist == other.playlist and self.number != other.number and not self.in_recording
        return self.opening < other.opening


class PlayedSegments:
    """The newest segments that were handed out, bounded in number. Used by the threads of the source's proxies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._openings = 0
        self._contents: OrderedDict[bytes, Delivery] = OrderedDict()
        self._places: OrderedDict[bytes, Delivery] = OrderedDict()
        self._starts: OrderedDict[bytes, Delivery] = OrderedDict()
        # The highest number of each playlist, by its path.
        self._newest: OrderedDict[bytes, int] = OrderedDict()
        # Variants that could not be fetched.
        self._avoided: OrderedDict[bytes, None] = OrderedDict()

    def next_opening(self) -> int:
        """Return a number for an opening of the source, higher than all before."""
        with self._lock:
            self._openings += 1
            return self._openings

    def add(self, segment: SegmentId, delivery: Delivery) -> None:
        """Remember a segment that was fetched."""
        with self._lock:
            _put(self._contents, segment.content_key, delivery, SEGMENTS_MAX)
            _put(self._places, segment.place_key, delivery, SEGMENTS_MAX)
            key = _key(urlsplit(delivery.playlist).path)
            _put(self._newest, key, max(delivery.number, self._newest.get(key, -1)), PLAYLISTS_MAX)

    def add_start(self, start: bytes, delivery: Delivery) -> bool:
        """Remember how a segment begins; return False if another one with this beginning was handed out before."""
        key = blake2b(start, digest_size=KEY_BYTES).digest()
        with self._lock:
            before = self._starts.get(key)
            if before and before.is_repeated_as(delivery):
                return False
            _put(self._starts, key, delivery, SEGMENTS_MAX)
            return True

    def restart(self, playlist: str, number: int) -> None:
        """Forget the names that a restarted server may use again, and count its numbers from here.

        Beginnings of segments are not forgotten: the same content under the same names is not played again.
        """
        path = urlsplit(playlist).path
        with self._lock:
            for table in (self._contents, self._places):
                for key in [key for key, delivery in table.items() if urlsplit(delivery.playlist).path == path]:
                    del table[key]
            _put(self._newest, _key(path), number, PLAYLISTS_MAX)

    def newest_number(self, playlist: str) -> int | None:
        """Return the highest number that was handed out from this playlist; None without any."""
        with self._lock:
            return self._newest.get(_key(urlsplit(playlist).path))

    def avoid(self, playlist: str) -> None:
        """Prefer other variants to this one, until all are avoided."""
        with self._lock:
            key = _key(urlsplit(playlist).path)
            if key in self._avoided:
                # It was chosen although it is avoided: all are.
                self._avoided.clear()
            _put(self._avoided, key, None, PLAYLISTS_MAX)

    def is_avoided(self, playlist: str) -> bool:
        """Return whether other variants are preferred."""
        with self._lock:
            return _key(urlsplit(playlist).path) in self._avoided

    def has(self, segment: SegmentId, delivery: Delivery) -> bool:
        """Return whether this delivery would repeat a segment. In a recording its number decides, too."""
        with self._lock:
            found = [self._places.get(segment.place_key)]
            found += [] if delivery.in_recording else [self._contents.get(segment.content_key)]
        return any(before.is_repeated_as(delivery) for before in found if before)


def _key(*parts: object) -> bytes:
    return blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=KEY_BYTES).digest()


def _put(table: OrderedDict[bytes, Value], key: bytes, value: Value, count_max: int) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > count_max:
        table.popitem(last=False)
