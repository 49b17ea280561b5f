"""Passing a source on without encoding: whether that can be, and how it is cut.

Segments can begin at the source's own keyframes only, so how far these lie apart is measured before anything is
published, and the target duration is chosen from it. Where a later interval is longer than any measured one, the
publisher raises the target.
"""

import math
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise

from chalicelib.domain.playlist_size import COPIED_SEGMENT_S_MIN
from chalicelib.domain.streams import SEGMENT_SECONDS_MAX, Stream
from worker.encoding.argv import Cut, FileSource, LiveSource, Source, keyframes_argv
from worker.ingest.sources import SourceRefused

# What senders usually set. Nobody waits until it can be measured: a longer interval raises the target later.
LIVE_INTERVAL_S = 2.0
MEASURE_TIMEOUT_S = 2.0
MEASURE_S = 60
# A target duration of n seconds lets segments last up to n + 1/2: a little less, for what rounding adds.
ROUNDING_S = 0.45
# ffmpeg goes back to their beginning by searching, and finds the second picture: all up to the next keyframe is broken.
LOSING_FORMATS = ("mpegts", "mpeg")


def cut_of(source: Source, stream: Stream, environ: Mapping[str, str]) -> Cut | None:
    """How this source is to be cut; None where it is encoded. Raises `SourceRefused` if it cannot be copied."""
    if not any(rendition.copied for rendition in stream.renditions):
        return None
    if not isinstance(source, FileSource | LiveSource):
        raise SourceRefused("the profile `source` copies, and a test pattern has nothing to copy: choose another")
    name = repr(source.path.name) if isinstance(source, FileSource) else "what the source sends"
    if source.video_codec != "h264" or source.audio_codec not in ("aac", None):
        found = f"{source.video_codec} video and {source.audio_codec or 'no'} audio"
        raise SourceRefused(
            f"{name} has {found}; a copied stream needs h264 video and aac (or no) audio: choose a profile that encodes"
        )
    if isinstance(source, LiveSource):
        return choose(LIVE_INTERVAL_S, stream.segment_seconds)
    lines = _read(source, environ)
    if lines and lines[-1].partition("|")[0] in LOSING_FORMATS:
        raise SourceRefused(
            f"{source.path.name!r} is an MPEG transport or program stream, which loses its first picture each time it "
            "begins again: bring it into MP4 (ffmpeg -i FILE -c copy FILE.mp4), or choose a profile that encodes"
        )
    interval_s = longest_interval_s(lines)
    if interval_s is None:
        raise SourceRefused(f"no keyframe was found in {source.path.name!r}: choose a profile that encodes")
    if interval_s > SEGMENT_SECONDS_MAX:
        raise SourceRefused(
            f"{source.path.name!r} has keyframes up to {interval_s:.1f} s apart; a copied stream needs one every "
            f"{SEGMENT_SECONDS_MAX} s: choose a profile that encodes"
        )
    return choose(interval_s, stream.segment_seconds)


def choose(interval_s: float, segment_seconds: int) -> Cut:
    """The shortest target duration that segments of this source can keep to, but no less than was asked for.

    A segment waits for its end no longer than one interval of keyframes after its time is up. Where that would be
    longer than the target, it is asked to end so much earlier, but after `COPIED_SEGMENT_S_MIN` at least: ending more
    often would make segments of a few frames, and a playlist that is too large.
    """
    target_s = max(segment_seconds, math.ceil(interval_s - ROUNDING_S + COPIED_SEGMENT_S_MIN))
    return Cut(every_s=round(min(segment_seconds, target_s + ROUNDING_S - interval_s), 3), target_s=target_s)


def longest_interval_s(lines: Sequence[str]) -> float | None:
    """The longest time between keyframes; None without any. `lines` is what `keyframes_argv` answers.

    What follows the last keyframe counts too: if all was read, the file begins again there, with its first keyframe.
    """
    keyframes, last_s = [], 0.0
    for line in lines:
        *times, last = line.split("|")
        # Packets have two times and flags. The last line has the length, which says nothing beyond what was read.
        flags = last if len(times) == 2 else ""
        told = [at_s for at_s in map(_seconds, times if flags else [last]) if at_s is not None]
        if not told:
            continue
        at_s = told[0] if flags else min(told[0], MEASURE_S)
        last_s = max(last_s, at_s)
        if flags.startswith("K"):
            keyframes.append(at_s)
    if not keyframes:
        return None
    return max(after - before for before, after in pairwise([*keyframes, max(last_s, keyframes[-1])]))


def _read(source: FileSource, environ: Mapping[str, str]) -> list[str]:
    """As much as can be read in time."""
    argv = keyframes_argv(source.path, MEASURE_S)
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
