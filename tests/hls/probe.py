"""Probes segments with ffprobe."""

import json
import subprocess
from dataclasses import dataclass
from fractions import Fraction

# Name of the profile -> the first byte of an `avc1` codec, and its constraints.
PROFILES = {
    "Constrained Baseline": (0x42, 0x40),
    "Baseline": (0x42, 0),
    "Main": (0x4D, 0),
    "High": (0x64, 0),
}
AAC = {"LC": "mp4a.40.2", "HE-AAC": "mp4a.40.5", "HE-AACv2": "mp4a.40.29"}


@dataclass(frozen=True, kw_only=True)
class SegmentInfo:
    """The properties of a segment. `keyframes_s` are the presentation times of its keyframes."""

    size: int
    width: int
    height: int
    fps: float
    profile: int
    constraints: int
    level: int
    audio: str | None
    begins_with_keyframe: bool
    keyframes_s: tuple[float, ...]


def probe(body: bytes) -> SegmentInfo:
    """Probe a segment with ffprobe."""
    entries = "stream=codec_type,codec_name,profile,level,width,height,avg_frame_rate:packet=codec_type,pts_time,flags"
    argv = ["ffprobe", "-v", "error", "-f", "mpegts", "-show_entries", entries, "-of", "json", "-i", "pipe:0"]
    output = json.loads(subprocess.run(argv, input=body, capture_output=True, check=True, timeout=30).stdout)
    streams = {stream["codec_type"]: stream for stream in output["streams"]}
    video, audio = streams["video"], streams.get("audio")
    assert video["codec_name"] == "h264" and (audio is None or audio["codec_name"] == "aac")
    frames = [packet for packet in output["packets"] if packet["codec_type"] == "video"]
    profile, constraints = PROFILES[video["profile"]]
    return SegmentInfo(
        size=len(body),
        width=video["width"],
        height=video["height"],
        fps=float(Fraction(video["avg_frame_rate"])),
        profile=profile,
        constraints=constraints,
        level=video["level"],
        audio=AAC[audio["profile"]] if audio else None,
        begins_with_keyframe=frames[0]["flags"].startswith("K"),
        keyframes_s=tuple(float(frame["pts_time"]) for frame in frames if frame["flags"].startswith("K")),
    )
