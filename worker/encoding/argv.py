"""How ffmpeg is called: pure functions from what is wanted to an argument list."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from chalicelib.domain.ladders import WIDTH_MAX, Rendition
from worker.encoding.pictures import pattern, slate
from worker.limits import bounded

SAMPLE_RATE = 48_000
TEST_RATE = Fraction(30)
# A playlist of ffmpeg's own this long lets the worker be that much behind before it loses segments.
LIST_SIZE = 30
# How much of a whole segment the first of an encoded run is.
FIRST_SEGMENT = 0.75
# Measured for the `hd` ladder from 720p25 on a laptop's core: ultrafast 0.36, superfast 0.55, veryfast 0.77 of it.
# Of two cores, half of one leaves room for the player beside it; below superfast x264 gives up CABAC and deblocking,
# which shows at these bitrates.
PRESET = "superfast"
# Time stamps of MPEG-TS are 33 bits of a 90 kHz clock. Larger offsets would only wrap.
TIMESTAMP_WRAP_S = 2**33 / 90_000
# What a looped file may be. Not among them: playlists and scripts (hls, concat, …), which name further files.
FORMATS = "mov,matroska,webm,mpegts,mpeg,avi,flv,ogg,mp3,wav,h264,hevc,asf,mxf"
SLATE_RATE = Fraction(15)
# The largest picture that is decoded of what somebody sends: somewhat more than the largest rendition.
LIVE_PIXELS_MAX = 4_096 * 2_304


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """A file to loop. `fps` is what it is published with; codecs are named as ffprobe names them."""

    path: Path
    fps: Fraction
    has_audio: bool
    video_codec: str | None = None
    audio_codec: str | None = None


@dataclass(frozen=True, kw_only=True)
class TestSource:
    """A pattern with a running clock, and a tone. Without a font there is only the pattern's own time code."""

    __test__ = False  # its name makes pytest look

    font: Path | None
    fps: Fraction = TEST_RATE


@dataclass(frozen=True, kw_only=True)
class LiveSource:
    """What a `Feed` receives, an MPEG transport stream: it comes by the standard input."""

    fps: Fraction
    has_audio: bool
    video_codec: str | None = None
    audio_codec: str | None = None


@dataclass(frozen=True, kw_only=True)
class SlateSource:
    """A still picture and silence, while no source works. Without a font it is a plain picture."""

    font: Path | None
    fps: Fraction = SLATE_RATE


Source = FileSource | LiveSource | TestSource | SlateSource


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How segments are cut where no keyframes are made: at the first keyframe `every_s` after the last cut was due.

    So none is longer than `every_s` and one interval of keyframes; `target_s` is no less than that, rounded.
    """

    every_s: float
    target_s: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run of ffmpeg. `name` begins every segment's name; `offset_s` is where its media clock starts.

    With a `cut` the source is copied, without it is encoded.
    """

    source: Source
    renditions: Sequence[Rendition]
    segment_seconds: int
    directory: Path
    name: str
    offset_s: float
    cut: Cut | None = None

    @property
    def target_s(self) -> int:
        """What its segments keep to."""
        return self.cut.target_s if self.cut else self.segment_seconds


def ffmpeg_argv(plan: Plan) -> list[str]:
    """The argument list of a run."""
    argv = [
        *("ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "level+warning", "-nostats"),
        *("-progress", "pipe:1", "-stats_period", "1"),
        *_inputs(plan),
        *(_copied(plan) if plan.cut else ("-filter_complex", _filters(plan), *_encoders(plan))),
        *_output(plan),
    ]
    return bounded(argv)


def ffprobe_argv(path: Path | None) -> list[str]:
    """Ask for a file's streams as JSON, under the same rules as ffmpeg reads it; None: for those of a live source."""
    entries = "stream=codec_type,codec_name,width,height,avg_frame_rate,r_frame_rate:stream_disposition=attached_pic"
    what = _live_rules() if path is None else (*_file_rules(), "-i", f"file:{path}")
    return bounded(["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", *what])


def keyframes_argv(path: Path, read_s: int) -> list[str]:
    """Ask for the packets of the beginning, a line each with its times and flags, and last for format and length."""
    entries = "packet=pts_time,dts_time,flags:format=format_name,duration"
    argv = ["ffprobe", "-v", "error", *_file_rules(), "-select_streams", "V:0", "-read_intervals", f"%+{read_s}"]
    return bounded([*argv, "-show_entries", entries, "-of", "compact=p=0:nk=1", f"file:{path}"])


def _file_rules() -> tuple[str, ...]:
    return ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)


def _live_rules() -> tuple[str, ...]:
    return ("-protocol_whitelist", "pipe", "-format_whitelist", "mpegts", "-f", "mpegts", "-i", "pipe:0")


def _inputs(plan: Plan) -> list[str]:
    source = plan.source
    silence = ["-re", "-f", "lavfi", "-i", f"anullsrc=r={SAMPLE_RATE}:cl=stereo"]
    match source:
        case FileSource():
            looped = ["-re", "-stream_loop", "-1", *_file_rules(), "-i", f"file:{source.path}"]
            return looped if source.has_audio or plan.cut else looped + silence
        case LiveSource():
            # Comes at its own pace, so nothing holds it back. It was examined before: here, ffmpeg would look for sound
            # for 5 s where there is none.
            quick = ["-analyzeduration", "500000", "-fpsprobesize", "4"]
            # A few bits can stand for a picture that takes seconds and gigabytes, and it may come at any time.
            bound = () if plan.cut else ("-max_pixels", str(LIVE_PIXELS_MAX))
            return [*quick, *bound, *_live_rules(), *(() if source.has_audio or plan.cut else silence)]
        case SlateSource():
            return ["-re", "-f", "lavfi", "-i", slate(plan.renditions, source.fps, source.font), *silence]
    moving = pattern(plan.renditions, source.fps, source.font)
    tone = f"sine=frequency=440:beep_factor=2:sample_rate={SAMPLE_RATE},volume=0.3"
    return ["-re", "-f", "lavfi", "-i", moving, "-re", "-f", "lavfi", "-i", tone]


def _filters(plan: Plan) -> str:
    """One decoding, split into all renditions. `fps` and `aresample` fill what is missing where a file starts anew."""
    source, count = plan.source, len(plan.renditions)
    own_audio = isinstance(source, FileSource | LiveSource) and source.has_audio
    # Pixels may claim to be 255 times as wide as high: for that, no picture is made wider than any rendition.
    width = rf"min(iw*sar\,max(iw\,{WIDTH_MAX}))"
    square = f"scale=trunc({width}/2)*2:trunc(ih/2)*2,setsar=1"
    parts = [f"[0:v:0]{square},fps={source.fps},split={count}" + "".join(f"[i{n}]" for n in range(count))]
    for n, rendition in enumerate(plan.renditions):
        size = f"{rendition.width}:{rendition.height}"
        fit = f"scale={size}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        parts.append(f"[i{n}]{fit},pad={size}:-1:-1,setsar=1,format=yuv420p[v{n}]")
    level = f"aresample={SAMPLE_RATE}:async=1000:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=stereo"
    audio = "[0:a:0]" if own_audio else "[1:a:0]"
    parts.append(f"{audio}{level},asplit={count}" + "".join(f"[a{n}]" for n in range(count)))
    return ";".join(parts)


def _encoders(plan: Plan) -> list[str]:
    argv = []
    for n, rendition in enumerate(plan.renditions):
        argv += ["-map", f"[v{n}]", "-map", f"[a{n}]"]
        argv += [f"-b:v:{n}", str(rendition.video_bps), f"-maxrate:v:{n}", str(rendition.video_bps)]
        argv += [f"-bufsize:v:{n}", str(rendition.video_bps), f"-b:a:{n}", str(rendition.audio_bps)]
    # The first segment of a run is shorter: a picture that broke off is back so much sooner.
    keyframes = f"expr:gte(t,max(0,n_forced-{1 - FIRST_SEGMENT})*{plan.segment_seconds})"
    # No keyframes but these: the muxer cuts at each.
    interval = str(2 * math.ceil(plan.source.fps * plan.segment_seconds))
    argv += ["-c:v", "libx264", "-preset", PRESET, "-sc_threshold", "0", "-g", interval, "-force_key_frames", keyframes]
    return [*argv, "-c:a", "aac", "-ar", str(SAMPLE_RATE), "-ac", "2"]


def _copied(plan: Plan) -> list[str]:
    """Picture and sound as they are. The muxer brings them into the forms of MPEG-TS (Annex B, ADTS) by itself."""
    # V leaves out cover pictures.
    return ["-map", "0:V:0", *(("-map", "0:a:0") if _copies_audio(plan) else ()), "-c", "copy"]


def _copies_audio(plan: Plan) -> bool:
    return isinstance(plan.source, FileSource | LiveSource) and plan.source.has_audio


def _output(plan: Plan) -> list[str]:
    if plan.cut:
        streams = f"v:0{',a:0' if _copies_audio(plan) else ''},name:{plan.renditions[0].name}"
    else:
        streams = " ".join(f"v:{n},a:{n},name:{rendition.name}" for n, rendition in enumerate(plan.renditions))
    # Encoded, it is cut at every keyframe, of which the second ends the shorter first segment.
    every_s = plan.cut.every_s if plan.cut else plan.segment_seconds * FIRST_SEGMENT
    return [
        *("-output_ts_offset", f"{plan.offset_s % TIMESTAMP_WRAP_S:.3f}"),
        *("-f", "hls", "-hls_time", str(every_s), "-hls_list_size", str(LIST_SIZE)),
        # Says that a run's first packets do not continue the last run's; else players take the seam for damage.
        *("-hls_segment_type", "mpegts", "-hls_segment_options", "mpegts_flags=+initial_discontinuity"),
        *("-hls_flags", "independent_segments+program_date_time+temp_file+omit_endlist"),
        *("-var_stream_map", streams),
        *("-hls_segment_filename", f"{plan.directory}/%v/{plan.name}-%06d.ts"),
        f"{plan.directory}/%v/index.m3u8",
    ]
