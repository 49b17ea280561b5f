"""Passing a source on without encoding: whether that can be, and how it is cut.

Segments can begin at the source's own keyframes only, so how far these lie apart is measured before anything is
published, and the target duration is chosen from it. Where a later interval is longer than any measured one, the
publisher raises the target.
"""

import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from chalicelib.domain.playlist_size import COPIED_SEGMENT_S_MIN
from chalicelib.domain.streams import SEGMENT_SECONDS_MAX, Stream
from worker.encoding.source_info import SourceInfo, SourceRefused
from worker.processes.limits import bounded
from worker.transcoding.plan import Work

# What segments of MPEG-TS carry and players take.
COPIED_VIDEO = ("h264", "hevc")
# What senders usually set. Nobody waits until it can be measured: a longer interval raises the target later.
LIVE_INTERVAL_S = 2.0
# What a looped file may be. Not among them: playlists and scripts (hls, concat, …), which name further files.
FILE_FORMATS = "mov,matroska,webm,mpegts,mpeg,avi,flv,ogg,mp3,wav,h264,hevc,asf,mxf"
MEASURE_TIMEOUT_S = 2.0
MEASURE_S = 60
# A target duration of n seconds lets segments last up to n + 1/2: a little less, for what rounding adds.
ROUNDING_S = 0.45


@dataclass(frozen=True, kw_only=True)
class CopySegmentation:
    """How segments are cut where no keyframes are made: at the first keyframe `every_s` after the last cut was due.

    So none is longer than `every_s` and one interval of keyframes; `target_s` is no less than that, rounded.
    """

    every_s: float
    target_s: int


def plan_copy(source: SourceInfo, stream: Stream, environ: Mapping[str, str]) -> CopySegmentation | None:
    """Return how this source is to be cut; None where it is encoded. Raise `SourceRefused` if it cannot be copied."""
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
    if source.path is None:
        return choose_segmentation(LIVE_INTERVAL_S, stream.segment_seconds)
    interval_s = longest_interval_s(_read(source.path, environ))
    if interval_s is None:
        raise SourceRefused(f"no keyframe was found in {name}: choose a profile that encodes")
    if interval_s > SEGMENT_SECONDS_MAX:
        raise SourceRefused(
            f"{name} has keyframes up to {interval_s:.1f} s apart; a copied stream needs one every "
            f"{SEGMENT_SECONDS_MAX} s: choose a profile that encodes"
        )
    return choose_segmentation(interval_s, stream.segment_seconds)


def choose_segmentation(interval_s: float, segment_seconds: int) -> CopySegmentation:
    """The shortest target duration that segments of this source can keep to, but no less than was asked for.

    A segment waits for its end no longer than one interval of keyframes after its time is up. Where that would be
    longer than the target, it is asked to end so much earlier, but after `COPIED_SEGMENT_S_MIN` at least: ending more
    often would make segments of a few frames, and a playlist that is too large.
    """
    target_s = max(segment_seconds, math.ceil(interval_s - ROUNDING_S + COPIED_SEGMENT_S_MIN))
    return CopySegmentation(
        every_s=round(min(segment_seconds, target_s + ROUNDING_S - interval_s), 3), target_s=target_s
    )


def longest_interval_s(lines: Sequence[str]) -> float | None:
    """The longest time between keyframes; None without any. `lines` is what `keyframes_argv` answers.

    What follows the last keyframe counts too: if all was read, the file begins again there, with its first keyframe.
    """
    keyframes, last_s = [], 0.0
    for line in lines:
        *fields, last = line.split("|")
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
    """Return the command for the packets of the beginning: a line each with its times and flags, and the length."""
    entries = "packet=pts_time,dts_time,flags:format=format_name,duration"
    rules = ("-protocol_whitelist", "file", "-format_whitelist", FILE_FORMATS)
    argv = ["ffprobe", "-v", "error", *rules, "-select_streams", "V:0", "-read_intervals", f"%+{read_s}"]
    return bounded([*argv, "-show_entries", entries, "-of", "compact=p=0:nk=1", f"file:{path}"])


def _read(path: Path, environ: Mapping[str, str]) -> list[str]:
    """As much as can be read in time."""
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
        return (timeout.stdout or b"").decode(errors="replace").splitlines()[:-1]


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
