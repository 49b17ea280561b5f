"""The tracks of a source: which are played, and which are offered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.stream import Disposition

from worker.receiving.ts_tables import Programs

NOT_INTERLACED = (0, 1)  # AV_FIELD_UNKNOWN, AV_FIELD_PROGRESSIVE


class TrackError(Exception):
    """The requested tracks are missing; the message names what there is."""


@dataclass(frozen=True)
class ChosenTracks:
    """The tracks that are played. Without sound `audio` is None."""

    video: Any
    audio: Any | None
    offered: Sequence[Mapping[str, Any]]


def choose(container: Any, programs: Programs, program: int | None, audio_track: int | None) -> ChosenTracks:
    """Return one programme's picture and sound, preferring the default disposition. Raise `TrackError`."""
    streams = [s for s in container.streams if s.type in ("video", "audio") and s.codec_context is not None]
    pictures = [s for s in streams if s.type == "video" and not s.disposition & Disposition.attached_pic]
    sounds = [s for s in streams if s.type == "audio"]
    number = _program(pictures, programs, program)
    if number is not None:
        pids = {track.pid for track in programs[number]}
        pictures, sounds = ([s for s in found if s.id in pids] for found in (pictures, sounds))
    if not pictures:
        raise TrackError("the source has no video" + ("" if number is None else f" in its programme {number}"))
    if audio_track and audio_track > len(sounds):
        raise TrackError(f"there is no audio track {audio_track}; there are {len(sounds)}")
    video = _preferred(pictures)
    audio = sounds[audio_track - 1] if audio_track else _preferred(sounds) if sounds else None
    played = {video.index, *([audio.index] if audio else [])}
    return ChosenTracks(video, audio, _offered(streams, programs, played))


def rate_of(stream: Any) -> Fraction | None:
    """Return the frame rate of a picture track, if it is known."""
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((rate for rate in rates if rate and 0 < rate <= 1000), None)


def is_interlaced(stream: Any) -> bool:
    """Return whether a picture track is declared interlaced."""
    return stream.codec_context.field_order not in NOT_INTERLACED


def _program(pictures: Sequence[Any], programs: Programs, wanted: int | None) -> int | None:
    """Return the number of the programme to play; None where the source has none."""
    if not programs:
        if wanted:
            raise TrackError(f"there is no programme {wanted}; the source has no programmes")
        return None
    if wanted:
        if wanted not in programs:
            raise TrackError(f"there is no programme {wanted}; there are {', '.join(map(str, sorted(programs)))}")
        return wanted
    pids = {stream.id for stream in pictures}
    with_picture = (n for n in programs if any(track.pid in pids for track in programs[n]))
    return next(with_picture, next(iter(programs)))


def _preferred(streams: Sequence[Any]) -> Any:
    return next((s for s in streams if s.disposition & Disposition.default), streams[0])


def _offered(streams: Sequence[Any], programs: Programs, played: set[int]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, int | None], int] = {}
    offered = []
    for stream in streams:
        number = next((n for n, tracks in programs.items() if any(t.pid == stream.id for t in tracks)), None)
        key = (stream.type, number)
        counts[key] = counts.get(key, 0) + 1
        pids = [track for tracks in programs.values() for track in tracks if track.pid == stream.id]
        offered.append(
            {
                "kind": stream.type,
                "track": counts[key],
                "program": number,
                "codec": stream.codec_context.codec.canonical_name,
                "language": stream.language or next((track.language for track in pids), None),
                "title": stream.metadata.get("title"),
                "details": _details(stream),
                "is_default": bool(stream.disposition & Disposition.default),
                "is_played": stream.index in played,
            }
        )
    return offered


def _details(stream: Any) -> str:
    codec = stream.codec_context
    if stream.type == "audio":
        return f"{codec.sample_rate} Hz, {codec.layout.name}" if codec.sample_rate else ""
    rate = rate_of(stream)
    parts = [f"{codec.width}x{codec.height}"] if codec.width else []
    parts += [f"{float(rate):.5g} fps"] if rate else []
    parts += ["interlaced"] if is_interlaced(stream) else []
    return ", ".join(parts)


def open_quietly(source: Any, format: str | None = None, options: dict[str, str] | None = None) -> Any:
    """Open a container with metadata in any encoding."""
    return av.open(source, "r", format, options, metadata_errors="replace")
