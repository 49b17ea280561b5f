"""Sources that are passed on without encoding: whether that is possible, and how they are cut into segments.

Segments can begin at the source's own keyframes only. So the interval of these is measured before anything is
published, and the target duration is chosen from it. Where a later interval is longer than any measured one, the
publisher raises the target.
"""

import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from chalicelib.domain.streams.pacing import SEGMENT_SECONDS_MAX
from chalicelib.domain.streams.playlist_size import COPIED_SEGMENT_S_MIN
from chalicelib.domain.streams.stream import Stream
from worker.encoding.source_info import SourceInfo, SourceRefused
from worker.processes.limits import limit_argv
from worker.transcoding.plan import Work

# Codecs that MPEG-TS carries and players decode.
COPIED_VIDEO = ("h264", "hevc")
# The usual setting of senders, for what was not measured, since that takes time: live sources, and a file that a busy
# machine does not read in time. A longer interval raises the target later.
LIVE_INTERVAL_S = 2.0
# Formats of looped files. Playlists and scripts (hls, concat, …) are left out, since they name further files.
FILE_FORMATS = "mov,matroska,webm,mpegts,mpeg,avi,flv,ogg,mp3,wav,h264,hevc,asf,mxf"
# Of a source that cannot be measured before it is played.
FAR_KEYFRAMES = (
    f"what the source sends has keyframes more than {SEGMENT_SECONDS_MAX} s apart; a copied stream needs one every "
    f"{SEGMENT_SECONDS_MAX} s: choose a profile that encodes"
)
MEASURE_TIMEOUT_S = 2.0
MEASURE_S = 60
# A target duration of n seconds lets segments last up to n + 1/2; rounding needs a little of that.
ROUNDING_S = 0.45


@dataclass(frozen=True, kw_only=True)
class CopySegmentation:
    """Where segments end if no keyframes are made: at the first keyframe `every_s` after the last end was due.

    None is longer than `every_s` and one interval of keyframes; `target_s` is no less than that, rounded.
    """

    every_s: float
    target_s: int


def plan_copy(source: SourceInfo, stream: Stream, environ: Mapping[str, str]) -> CopySegmentation | None:
    """Return how to segment a copied source; None where it is encoded. Raise `SourceRefused` if it cannot be copied."""
    if not any(rendition.copied for rendition in stream.renditions):
        return None
    if source.work is not Work.ENCODE:
        raise SourceRefused("the profile `source` copies, and a test pattern has nothing to copy: choose another")
    name = repr(source.path.name) if source.path else "what the source sends"
    if source.video_codec not in COPIED_VIDEO or source.audio_codec not in ("aac", None):
        found = f"{source.video_codec or 'no'} video and {source.audio_codec or 'no'} audio"
        raise SourceRefused(
            f"{name} has {found}; a copied stream needs {' or '.join(COPIED_VIDEO)} video and aac (or no) audio: "
            "choose a profile that encodes"
        )
    if source.rotation:
        raise SourceRefused(f"{name} has to be turned by {source.rotation}°: choose a profile that encodes")
    lines = None if source.path is None else _read(source.path, environ)
    if lines is None:
        return choose_segmentation(LIVE_INTERVAL_S, stream.segment_seconds)
    interval_s = longest_interval_s(lines)
    if interval_s is None:
        raise SourceRefused(f"no keyframe was found in {name}: choose a profile that encodes")
    if interval_s > SEGMENT_SECONDS_MAX:
        raise SourceRefused(
            f"{name} has keyframes up to {interval_s:.1f} s apart; a copied stream needs one every "
            f"{SEGMENT_SECONDS_MAX} s: choose a profile that encodes"
        )
    return choose_segmentation(interval_s, stream.segment_seconds)


def choose_segmentation(interval_s: float, segment_seconds: int) -> CopySegmentation:
    """Return the shortest target duration that segments of this source can keep to, but no less than `segment_seconds`.

    A segment ends at most one interval of keyframes after it is due. Where that would be longer than the target, its
    end is due so much earlier, but after `COPIED_SEGMENT_S_MIN` at least: more ends would make segments of a few
    frames, and a playlist that is too large.
    """
    target_s = max(segment_seconds, math.ceil(interval_s - ROUNDING_S + COPIED_SEGMENT_S_MIN))
    return CopySegmentation(
        every_s=round(min(segment_seconds, target_s + ROUNDING_S - interval_s), 3), target_s=target_s
    )


def longest_interval_s(lines: Sequence[str]) -> float | None:
    """Return the longest time between keyframes; None without any. `lines` is the output of `keyframes_argv`.

    The time after the last keyframe counts too: if all was read, a loop begins there with the file's first keyframe.
    """
    keyframes, last_s = [], 0.0
    for line in lines:
        # Keyframes of MPEG-TS have side data, of which an empty field is printed.
        *fields, last = line.rstrip("|").split("|")
        # Packets have two times and flags. The last line has the length, also of what was not read.
        flags = last if len(fields) == 2 else ""
        times = [at_s for at_s in map(_seconds, fields if flags else [last]) if at_s is not None]
        if not times:
            continue
        at_s = times[0] if flags else min(times[0], MEASURE_S)
        last_s = max(last_s, at_s)
        if flags.startswith("K"):
            keyframes.append(at_s)
    if not keyframes:
        return None
    return max(after - before for before, after in pairwise([*keyframes, max(last_s, keyframes[-1])]))


def keyframes_argv(path: Path, read_s: int) -> list[str]:
    """Return the command that lists the first packets, a line each with times and flags, and then the length."""
    entries = "packet=pts_time,dts_time,flags:format=format_name,duration"
    rules = ("-protocol_whitelist", "file", "-format_whitelist", FILE_FORMATS)
    argv = ["ffprobe", "-v", "error", *rules, "-select_streams", "V:0", "-read_intervals", f"%+{read_s}"]
    return limit_argv([*argv, "-show_entries", entries, "-of", "compact=p=0:nk=1", f"file:{path}"])


def _read(path: Path, environ: Mapping[str, str]) -> list[str] | None:
    """Return the lines that can be read in time; None if that were too few to find a keyframe."""
    argv = keyframes_argv(path, MEASURE_S)
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=MEASURE_TIMEOUT_S,
            env=dict(environ),
            check=False,
        )
        return done.stdout.decode(errors="replace").splitlines()
    except subprocess.TimeoutExpired as timeout:
        lines = (timeout.stdout or b"").decode(errors="replace").splitlines()[:-1]
        return lines if longest_interval_s(lines) is not None else None


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
