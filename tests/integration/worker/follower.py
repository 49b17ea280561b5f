"""Follows a stream's playlists like a player, and holds every reading against all readings before."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import m3u8

from chalicelib.ports import MediaStore

SEGMENT = re.compile(r"[a-z0-9-]+\.ts")
RENDITION = re.compile(r"[a-z0-9]+/index\.m3u8")


@dataclass
class Follower:
    """`seen` is number -> (uri, discontinuity sequence) of each rendition; `problems` is what must never be."""

    media: MediaStore
    stream_id: str
    seen: dict[str, dict[int, tuple[str, int]]] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    ended: bool = False

    def renditions(self) -> list[str]:
        """As the multivariant playlist names them."""
        whole = self.media.get(f"streams/{self.stream_id}/index.m3u8")
        if whole is None:
            return []
        uris = [variant.uri for variant in m3u8.loads(whole.body.decode()).playlists]
        self.problems += [f"odd name {uri}" for uri in uris if not RENDITION.fullmatch(uri)]
        return [uri.partition("/")[0] for uri in uris]

    def poll(self) -> int:
        """Read everything once; answers with the newest number, -1 while there is none."""
        newest = [self._read(rendition) for rendition in self.renditions()]
        return max(newest, default=-1)

    def runs(self, rendition: str) -> list[str]:
        """The runs that the numbers seen belong to, in order."""
        names = [uri.rpartition("-")[0] for _, (uri, _) in sorted(self.seen.get(rendition, {}).items())]
        return list(dict.fromkeys(names))

    def _read(self, rendition: str) -> int:
        stored = self.media.get(f"streams/{self.stream_id}/{rendition}/index.m3u8")
        if stored is None:
            self.problems.append(f"{rendition} has no playlist")
            return -1
        playlist = m3u8.loads(stored.body.decode())
        self.ended = playlist.is_endlist
        number, discontinuity = playlist.media_sequence or 0, playlist.discontinuity_sequence or 0
        if number < self.first.get(rendition, 0):
            self.problems.append(f"{rendition}: the media sequence fell from {self.first[rendition]} to {number}")
        self.first[rendition] = number
        seen = self.seen.setdefault(rendition, {})
        if seen and number + len(playlist.segments) <= max(seen):
            self.problems.append(f"{rendition}: it ended at {max(seen)} before, and ends at less now")
        for segment in playlist.segments:
            discontinuity += bool(segment.discontinuity)
            self._check(rendition, number, segment, discontinuity, playlist.target_duration)
            number += 1
        return number - 1

    def _check(self, rendition: str, number: int, segment: m3u8.Segment, discontinuity: int, target: int) -> None:
        place, seen = f"{rendition} #{number}", self.seen[rendition]
        if seen.setdefault(number, (segment.uri, discontinuity)) != (segment.uri, discontinuity):
            self.problems.append(f"{place} was {seen[number]}, is {(segment.uri, discontinuity)}")
        if not SEGMENT.fullmatch(segment.uri):
            self.problems.append(f"{place}: odd name {segment.uri}")
        if round(segment.duration) > target:
            self.problems.append(f"{place}: {segment.duration} s with a target of {target} s")
        before = seen.get(number - 1)
        if before and before[0].rpartition("-")[0] != segment.uri.rpartition("-")[0] and discontinuity == before[1]:
            self.problems.append(f"{place}: another run without a discontinuity")
        key = f"streams/{self.stream_id}/{rendition}/{segment.uri}"
        if key not in self.known:
            # A listing of one key, so that the body need not be fetched.
            if key not in self.media.list(key, limit=1):
                self.problems.append(f"{place}: names {segment.uri}, which is not there")
            self.known.add(key)


def follow(follower: Follower, until: Callable[[], bool], wait: Callable[[float], bool], tries: int) -> bool:
    """Poll until the condition holds; False if it did not within the tries."""
    for _ in range(tries):
        follower.poll()
        if until():
            return True
        wait(0.2)
    return False
