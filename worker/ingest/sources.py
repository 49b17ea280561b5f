"""From what an operator typed to what ffmpeg may open: the checks that are made again at every start of a run."""

import json
import subprocess
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from worker.encoding.argv import LIVE_PIXELS_MAX, FileSource, LiveSource, ffprobe_argv
from worker.ingest.media_files import find

PROBE_TIMEOUT_S = 8.0
FPS_DEFAULT = Fraction(30)
FPS_MAX = Fraction(30)
# Below this a one-second segment would hold too few pictures to be cut where it should.
FPS_MIN = Fraction(10)
FONTS = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"),
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
)


class SourceRefused(Exception):
    """The source cannot be used as it is; the message says why, for the operator."""


def font() -> Path | None:
    """What words are drawn with, if there is anything."""
    return next((font for font in FONTS if font.is_file()), None)


def prepare_file(name: str | None, media_dir: Path, environ: Mapping[str, str]) -> FileSource:
    """The file that ffmpeg is to loop. Raises `SourceRefused`."""
    path = locate(name, media_dir)
    found = _examine(path, None, repr(name), environ)
    return FileSource(
        path=path,
        fps=found.fps,
        has_audio=found.has_audio,
        video_codec=found.video_codec,
        audio_codec=found.audio_codec,
    )


def examine_live(head: bytes, environ: Mapping[str, str]) -> LiveSource:
    """What the beginning of a live source shows it to be. Raises `SourceRefused`."""
    return _examine(None, head, "what the source sends", environ)


def locate(name: str | None, media_dir: Path) -> Path:
    """The regular file of this name in the media directory, links followed; `SourceRefused` for anything else."""
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


def output_fps(streams: Mapping[str, Any]) -> Fraction:
    """The frame rate to publish: the file's own, divided until it is 30 at most, doubled until it is 10 at least."""
    for name in ("avg_frame_rate", "r_frame_rate"):
        rate = _fraction(streams.get(name, ""))
        if rate:
            break
    else:
        return FPS_DEFAULT
    rate /= -(-rate // FPS_MAX)
    while rate < FPS_MIN:
        rate *= 2
    # Not before: a picture an hour would be rounded to none, which no doubling raises.
    return rate.limit_denominator(1001)


def _fraction(text: str) -> Fraction | None:
    above, _, below = text.partition("/")
    if not above.isdecimal() or not (below or "1").isdecimal() or not int(below or 1) or not int(above):
        return None
    return Fraction(int(above), int(below or 1))


def _examine(path: Path | None, head: bytes | None, name: str, environ: Mapping[str, str]) -> LiveSource:
    """The frame rate to publish, and the codecs; the same for files."""
    streams = _probe(path, head, name, environ)
    videos = [s for s in streams if s.get("codec_type") == "video" and not s.get("disposition", {}).get("attached_pic")]
    if not videos:
        raise SourceRefused(f"{name} has no video")
    width, height = (videos[0].get(side) or 0 for side in ("width", "height"))
    if head is not None and width * height > LIVE_PIXELS_MAX:
        raise SourceRefused(f"{name} is {width}x{height}; allowed: as many pixels as 4096x2304 has")
    audios = [stream for stream in streams if stream.get("codec_type") == "audio"]
    return LiveSource(
        fps=output_fps(videos[0]),
        has_audio=bool(audios),
        video_codec=videos[0].get("codec_name"),
        audio_codec=audios[0].get("codec_name") if audios else None,
    )


def _probe(path: Path | None, head: bytes | None, name: str, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            ffprobe_argv(path),
            capture_output=True,
            input=head or b"",
            timeout=PROBE_TIMEOUT_S,
            env=dict(environ),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceRefused(f"{name} could not be examined within {PROBE_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise SourceRefused(f"{name} is no video that can be read: {reason[-1][:200] if reason else 'no reason'}")
    return list(json.loads(done.stdout).get("streams", []))
