"""The probe of a finished segment with ffprobe: size, frame rate and codecs, for the multivariant playlist."""

import json
import re
import subprocess
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from worker.processes.limits import limit_argv
from worker.publishing.playlists.codec_names import picture_name
from worker.publishing.playlists.variants import MediaInfo

# Nothing waits for it, and a machine that is busy with encoding is slow.
PROBE_TIMEOUT_S = 8.0
# Enough of a segment of any bitrate.
PROBE_BYTES_MAX = 4_000_000
# The object types of MPEG-4 audio (ISO/IEC 14496-3), by ffprobe's names of the profiles.
AUDIO_OBJECT_TYPES = {"Main": 1, "LC": 2, "SSR": 3, "LTP": 4, "HE-AAC": 5, "HE-AACv2": 29}
# ffprobe's dump of a decoder's parameters: "00000010: 003e 9000 …  .>..", two spaces before the readable part.
DUMP_LINE = re.compile(r"^[0-9a-f]{8}: ((?:[0-9a-f]{2,4} )+)", re.MULTILINE)
# ffprobe's names of the curves that a playlist has names for.
VIDEO_RANGES = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


def probe(segment: bytes, environ: Mapping[str, str]) -> MediaInfo | None:
    """Return what a segment holds; None if ffprobe does not answer in time or finds no picture.

    The segment comes through a pipe, and ffprobe may open nothing else: copied segments come from strangers.
    """
    try:
        done = subprocess.run(
            probe_argv(),
            input=segment[:PROBE_BYTES_MAX],
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            env=dict(environ),
            check=False,
        )
        return media_info_of(json.loads(done.stdout).get("streams", []))
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def probe_argv() -> list[str]:
    """Return the command that prints what a segment on its standard input holds, as JSON."""
    entries = "stream=codec_type,codec_name,profile,width,height,avg_frame_rate,r_frame_rate,color_transfer,extradata"
    argv = ["ffprobe", "-v", "error", "-protocol_whitelist", "pipe", "-f", "mpegts", "-show_data"]
    return limit_argv([*argv, "-show_entries", entries, "-of", "json", "-i", "pipe:0"])


def media_info_of(streams: list[dict[str, Any]]) -> MediaInfo | None:
    """Return the media info in ffprobe's answer; None if anything is missing."""
    video = next((stream for stream in streams if stream.get("codec_type") == "video"), {})
    audio = next((stream for stream in streams if stream.get("codec_type") == "audio"), None)
    codecs = [_video_codec(video)] + ([_audio_codec(audio)] if audio else [])
    fps = _rate(video.get("avg_frame_rate")) or _rate(video.get("r_frame_rate"))
    if not (video.get("width") and video.get("height") and fps and all(codecs)):
        return None
    return MediaInfo(
        width=int(video["width"]),
        height=int(video["height"]),
        fps=round(float(fps), 3),
        codecs=",".join(codec for codec in codecs if codec),
        video_range=VIDEO_RANGES.get(str(video.get("color_transfer")), "SDR"),
    )


def _video_codec(stream: Mapping[str, Any]) -> str | None:
    """Return the codec's name from the stream's parameters: ffprobe's own words leave out the constraints."""
    dump = "".join(DUMP_LINE.findall(str(stream.get("extradata", "")))).replace(" ", "")
    return picture_name(str(stream.get("codec_name")), bytes.fromhex(dump))


def _audio_codec(stream: Mapping[str, Any]) -> str | None:
    kind = AUDIO_OBJECT_TYPES.get(str(stream.get("profile")))
    return f"mp4a.40.{kind}" if stream.get("codec_name") == "aac" and kind else None


def _rate(text: object) -> Fraction | None:
    try:
        return Fraction(str(text)) or None
    except (ValueError, ZeroDivisionError):
        return None
