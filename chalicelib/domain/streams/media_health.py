"""Tracks of a stream's source, and repairs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

# Bounds of the runtime's row. Codec, language and title come from the source and may have any length.
TRACKS_MAX = 32
TRACK_TEXT_CHARS_MAX = 80


class TrackKind(StrEnum):
    """The kind of a track."""

    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, kw_only=True)
class SourceTrack:
    """A track of the source.

    `track` counts from 1 within its kind and programme, in the source's order. `details` is for people:
    "1280x720, 25 fps, interlaced" or "48000 Hz, 5.1".
    """

    kind: TrackKind
    track: int
    program: int | None
    codec: str
    language: str | None = None
    title: str | None = None
    details: str = ""
    is_default: bool = False
    is_played: bool = False


@dataclass(frozen=True, kw_only=True)
class Repairs:
    """What one run repaired, counted from its start.

    `silence_ms` is silence made where sound was missing, `trimmed_ms` overlapping sound that was removed. `drift_ppm`
    is how fast the sender's sound clock runs against its picture's, measured last; None if it was not measured.
    """

    silence_ms: int = 0
    trimmed_ms: int = 0
    drift_ppm: int | None = None
    pictures_repeated: int = 0
    pictures_dropped: int = 0
    timestamp_jumps: int = 0
    format_changes: int = 0
    damaged_packets: int = 0
    restarts_avoided: int = 0


def bounded_tracks(tracks: Sequence[SourceTrack]) -> tuple[SourceTrack, ...]:
    """Return the first `TRACKS_MAX` tracks, with texts cut to `TRACK_TEXT_CHARS_MAX`."""
    return tuple(
        replace(
            track,
            codec=track.codec[:TRACK_TEXT_CHARS_MAX],
            language=track.language and track.language[:TRACK_TEXT_CHARS_MAX],
            title=track.title and track.title[:TRACK_TEXT_CHARS_MAX],
            details=track.details[:TRACK_TEXT_CHARS_MAX],
        )
        for track in tracks[:TRACKS_MAX]
    )
