"""No window that an operator may set makes a playlist that is too large to be played."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.playlist_size import COPIED_SEGMENT_S_MIN, PLAYLIST_BYTES_MAX
from chalicelib.domain.streams.stream import WINDOW_MINUTES_MAX, Stream, stream_faults
from worker.publishing.playlists.media_playlist import Entry, Playlist

START = datetime(2026, 1, 1, tzinfo=UTC)
ENCODED = Stream(stream_id="s", title="t", ingest=Ingest(mode=IngestMode.FILE, path="a.mp4"))
COPIED = replace(ENCODED, abr_profile="source")


def playlist_of(count: int, segment_s: float) -> Playlist:
    """Return a playlist with the longest possible names and bitrates, and a new run now and then."""
    entries = tuple(
        Entry(f"99999999-99999-{n:07d}.ts", segment_s, START + timedelta(seconds=segment_s * n), n % 10 == 0, 32_700)
        for n in range(count)
    )
    return Playlist(target_s=10, first_sequence=10**9, discontinuity_sequence=10**6, entries=entries, clock_s=1e9)


def window_minutes_max(stream: Stream) -> int:
    """Return the longest accepted window."""
    minutes = range(WINDOW_MINUTES_MAX, 0, -1)
    return next(each for each in minutes if not stream_faults(replace(stream, window_minutes=each)))


@pytest.mark.parametrize(
    ("stream", "segment_seconds", "segment_s", "minutes"),
    [
        *((ENCODED, 1, 1, 260), (ENCODED, 2, 2, 520), (ENCODED, 3, 3, WINDOW_MINUTES_MAX)),
        *((COPIED, 1, COPIED_SEGMENT_S_MIN, 65), (COPIED, 10, COPIED_SEGMENT_S_MIN, 65)),
    ],
)
def test_the_longest_window_makes_a_playlist_that_can_be_played(stream, segment_seconds, segment_s, minutes) -> None:
    assert window_minutes_max(replace(stream, segment_seconds=segment_seconds)) == minutes
    # One segment more than the window has, since the oldest leaves when all of it is over.
    longest = playlist_of(int(minutes * 60 / segment_s) + 1, segment_s)
    assert PLAYLIST_BYTES_MAX / 2 < len(longest.render(99_999_999)) < PLAYLIST_BYTES_MAX


def test_what_is_refused_is_named_with_what_is_allowed() -> None:
    assert stream_faults(replace(ENCODED, window_minutes=720, segment_seconds=1)) == [
        "window_minutes 720 with segment_seconds 1 makes a playlist of up to 5.53 MB, where 2 MB can be played;"
        " allowed: window_minutes up to 260, or segment_seconds 3 and more"
    ]
    assert stream_faults(replace(COPIED, window_minutes=66, segment_seconds=10)) == [
        "window_minutes 66 makes a playlist of up to 2.03 MB, where 2 MB can be played, and the profile `source` is"
        " cut at the source's own keyframes, as often as every 0.25 s; allowed: window_minutes up to 65"
    ]
