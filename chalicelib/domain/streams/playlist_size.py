"""Limits of a media playlist's length. Players fetch it whole every second or two and reject very large ones."""

import math

PLAYLIST_BYTES_MAX = 2_000_000
# One segment with its time, length, bitrate and name: usually 107 bytes, 122 with the longest names and a
# discontinuity before every tenth; tests/unit/worker/publishing/test_playlist_size.py checks that.
ENTRY_BYTES_MAX = 128
ENTRIES_MAX = PLAYLIST_BYTES_MAX // ENTRY_BYTES_MAX
# A copied source is cut at its own key frames, on average at most this often, whatever length is configured. If it is
# cut more often for a while, the worker lists only the newest `ENTRIES_MAX` segments.
COPIED_SEGMENT_S_MIN = 0.25


def window_fault(window_minutes: int, segment_seconds: int, *, copied: bool) -> str | None:
    """Return what is wrong with a window and what is allowed; None if its playlist fits `PLAYLIST_BYTES_MAX`."""
    shortest_s = COPIED_SEGMENT_S_MIN if copied else segment_seconds
    entries = math.ceil(window_minutes * 60 / shortest_s)
    if entries <= ENTRIES_MAX:
        return None
    most_mb, size_mb = PLAYLIST_BYTES_MAX / 1e6, entries * ENTRY_BYTES_MAX / 1e6
    size = f"a playlist of up to {size_mb:.2f} MB, where {most_mb:.0f} MB can be played"
    allowed = f"allowed: window_minutes up to {int(ENTRIES_MAX * shortest_s / 60)}"
    if copied:
        why = f"the profile `source` is cut at the source's own keyframes, as often as every {shortest_s} s"
        return f"window_minutes {window_minutes} makes {size}, and {why}; {allowed}"
    long_enough = math.ceil(window_minutes * 60 / ENTRIES_MAX)
    settings = f"window_minutes {window_minutes} with segment_seconds {segment_seconds}"
    return f"{settings} makes {size}; {allowed}, or segment_seconds {long_enough} and more"
