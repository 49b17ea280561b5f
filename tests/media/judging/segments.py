"""Published segments on disk: their packets, and what ffmpeg prints of them."""

import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from pathlib import Path

import av
import m3u8

from tests.media.judging import measures
from tests.media.judging.measures import RATE_HZ, Packet, Probed
from tests.media.judging.picture import GRID_HEIGHT, GRID_WIDTH, Frame
from tests.media.judging.sound import Level

COMMAND_S_MAX = 120
# How long a picture or a sound lasts that has no duration.
PACKET_S_DEFAULT = 0.04
FFMPEG = ("ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-v", "info", "-copyts")
# One copy of each picture to the standard output; its time and the sound's levels are printed.
VIDEO_FILTER = f"scale={GRID_WIDTH}:{GRID_HEIGHT}:flags=area,signalstats,metadata=print:key=lavfi.signalstats.YAVG"
AUDIO_FILTER = (
    f"aresample={RATE_HZ},aformat=channel_layouts=mono,"
    "astats=metadata=1:reset=1:measure_perchannel=Zero_crossings_rate:measure_overall=RMS_level,ametadata=print"
)


@dataclass(frozen=True)
class Segment:
    """A segment as its playlist names it; `is_discontinuous` if a discontinuity tag is in front of it."""

    path: Path
    extinf_s: float
    is_discontinuous: bool = False

    @cached_property
    def probed(self) -> Probed:
        """Return the packets and the properties of the streams. A segment without streams has none."""
        packets: dict[str, list[Packet]] = {"audio": [], "video": []}
        try:
            with av.open(str(self.path)) as media:
                for packet in media.demux():
                    if packet.pts is not None and packet.stream.type in packets:
                        lasts_s = float(packet.duration * packet.time_base) if packet.duration else PACKET_S_DEFAULT
                        packets[packet.stream.type].append(Packet(float(packet.pts * packet.time_base), lasts_s))
                streams = [each.codec_context for each in (*media.streams.video[:1], *media.streams.audio[:1])]
                codecs = tuple(stream.codec.canonical_name for stream in streams)
                found = Probed(
                    *(tuple(sorted(each, key=attrgetter("at_s"))) for each in packets.values()), codecs=codecs
                )
                if media.streams.video:
                    ratio = float(streams[0].sample_aspect_ratio or 1)
                    found = replace(found, width=streams[0].width, height=streams[0].height, pixel_ratio=ratio)
                return found
        except av.FFmpegError:
            return Probed()


@dataclass(frozen=True)
class Decoded:
    """The pictures and the sound of segments between two discontinuities, on one clock."""

    frames: list[Frame]
    levels: list[Level]


def named_by(playlist: Path) -> list[Segment]:
    """Return the segments that a media playlist on disk names."""
    return [
        Segment(playlist.parent / each.uri, float(each.duration), bool(each.discontinuity))
        for each in m3u8.load(str(playlist)).segments
    ]


def continuous(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Return the segments between discontinuities."""
    parts: list[list[Segment]] = []
    for segment in segments:
        if segment.is_discontinuous or not parts:
            parts.append([])
        parts[-1].append(segment)
    return parts


def decode(segments: Sequence[Segment]) -> Decoded:
    """Decode segments that go on from one to the next."""
    with tempfile.NamedTemporaryFile(suffix=".ts") as joined:
        joined.write(b"".join(segment.path.read_bytes() for segment in segments))
        joined.flush()
        video = [
            "-map",
            "0:v:0?",
            "-vf",
            VIDEO_FILTER,
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
        ]
        audio = ["-map", "0:a:0?", "-af", AUDIO_FILTER, "-f", "null", "-"]
        outputs = [*(*video, "pipe:1") * bool(segments[0].probed.pictures), *audio * bool(segments[0].probed.sound)]
        if not outputs:
            return Decoded([], [])
        done = _run([*FFMPEG, "-i", joined.name, *outputs])
    return Decoded(*measures.decoded(done.stderr.decode(errors="replace"), done.stdout))


def combed_share(segment: Segment) -> float:
    """Return the share of a segment's pictures that have combs."""
    return measures.combed_share(*_band(segment))


def bar_steps_per_s(segment: Segment) -> tuple[float, float]:
    """Return how often a second the bar in a segment's pictures moves on, and back."""
    on, back = measures.bar_steps(*_band(segment))
    return on / segment.extinf_s, back / segment.extinf_s


def _band(segment: Segment) -> tuple[bytes, int]:
    """Return gray copies of the band in which the bar moves, and their height."""
    height = segment.probed.height // 8
    band = f"format=gray,crop=iw*3/4:{height}:iw/8:ih*3/4:exact=1,scale={measures.BAND_WIDTH}:{height}:flags=neighbor"
    raw = ["-vf", band, "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
    return _run([*FFMPEG, "-i", str(segment.path), "-map", "0:v:0", *raw]).stdout, height


def _run(argv: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_S_MAX)
