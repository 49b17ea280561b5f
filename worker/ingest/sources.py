"""File names become paths, and descriptions of tracks become source infos. Both are checked."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from chalicelib.domain.streams.media_health import SourceTrack, TrackKind
from worker.encoding.source_info import SourceInfo, SourceRefused
from worker.ingest.media_files import find
from worker.media.pictures import PIXELS_MAX


def locate(name: str | None, media_dir: Path) -> Path:
    """Return the regular file of this name in the media directory, links followed. Raise `SourceRefused`."""
    if not name or "\0" in name or Path(name).is_absolute():
        raise SourceRefused(f"{name!r} is no path relative to the media directory")
    try:
        root = media_dir.resolve(strict=True)
    except (OSError, RuntimeError):
        raise SourceRefused(f"the media directory {media_dir} does not exist on this worker") from None
    path = find(name, root)
    if path is None:
        raise SourceRefused(f"there is no file {name!r} in the media directory")
    if not path.is_file():
        raise SourceRefused(f"{name!r} in the media directory is not a regular file")
    return path


def read_source_info(described: Mapping[str, Any], name: str, path: Path | None = None) -> SourceInfo:
    """Return what a receiver's description of its tracks shows. Raise `SourceRefused`."""
    video, audio = described["video"], described["audio"]
    width, height = video["width"], video["height"]
    if width * height > PIXELS_MAX:
        raise SourceRefused(f"{name} is {width}x{height}; allowed: as many pixels as 4096x2304 has")
    return SourceInfo(
        width=width,
        height=height,
        rate=Fraction(video["rate"]) if video["rate"] else None,
        is_interlaced=video["is_interlaced"],
        has_audio=audio is not None,
        video_codec=video["codec"],
        audio_codec=_audio_codec(audio) if audio else None,
        rotation=video["rotation"],
        tracks=tuple(SourceTrack(**{**each, "kind": TrackKind(each["kind"])}) for each in described["offered"]),
        path=path,
    )


def _audio_codec(audio: Mapping[str, Any]) -> str:
    # With a configuration outside the packets it has no ADTS headers, which a copied stream needs.
    return "aac (own layout)" if audio["codec"] == "aac" and audio["extradata"] else str(audio["codec"])
