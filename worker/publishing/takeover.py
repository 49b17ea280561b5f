"""Continues the playlists of the last owner, which may have stopped at any step."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from worker.publishing.fenced_object import FencedObject
from worker.publishing.playlists.media_playlist import Playlist, PlaylistError, parse

log = logging.getLogger(__name__)

# An owner that dies between two writes leaves one rendition a segment behind; a few more if the store failed as well.
BEHIND_MAX = 3


def read_stored(item: FencedObject) -> Playlist | None:
    """Return the stored playlist; None if there is none yet. Raise `ClaimLost` and `StoreUnavailable`."""
    body = item.read()
    if body is None:
        return None
    try:
        return parse(body)
    except PlaylistError as error:
        # Its numbers are lost, but they grew by one a second at most since the stream began.
        log.error("a playlist is replaced by a new one", extra={"error": str(error)})
        return Playlist(target_s=1, first_sequence=int(time.time()))


def continue_playlists(
    stored: Mapping[str, Playlist | None],
    dropped: Sequence[Playlist | None],
    segment_seconds: int,
    exists: Callable[[str, str], bool],
) -> dict[str, Playlist]:
    """Return the renditions' playlists, brought into step with the one that is ahead.

    That one may be of a rendition that is `dropped`: a ladder without any rendition of the last one continues its
    numbers, for the last one may come back. `exists` returns whether a rendition's segment is in the store. Where
    segments are missing for good (a rendition that was not published for a while), the playlist continues empty at the
    common number.
    """
    present = [playlist for playlist in (*stored.values(), *dropped) if playlist is not None]
    if not present:
        return {name: Playlist(target_s=segment_seconds) for name in stored}
    ahead = max(present, key=lambda playlist: playlist.next_sequence)
    return {name: _catch_up(name, playlist, ahead, exists) for name, playlist in stored.items()}


def _catch_up(name: str, behind: Playlist | None, ahead: Playlist, exists: Callable[[str, str], bool]) -> Playlist:
    empty = ahead.without_first(len(ahead.entries))
    if behind is None:
        return empty
    missing = ahead.next_sequence - behind.next_sequence
    if missing == 0:
        return behind
    # All renditions of a segment are stored before any playlist names it, so a name of one holds for the others.
    tail = ahead.entries[-missing:]
    if missing > min(BEHIND_MAX, len(ahead.entries)) or not all(exists(name, entry.uri) for entry in tail):
        return empty
    for entry in tail:
        # Its length is the same in all renditions, its size is not.
        behind = behind.append(replace(entry, bitrate_kbps=None), ahead.clock_s)
    return behind
