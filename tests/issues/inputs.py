"""Inputs that ffmpeg makes, each with a fault in the middle, and the issues that have to open and close with it.

An input is a list of connections of a sender, and each is one transport stream or file. Its times are those of the
media: faults begin and end at stated seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.streams.issues.ingest_issues import IssueType
from tests.media.inputs.recipes import AAC, TS

X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50"
SIZE = "128x72"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One file of an input: commands that make it, the last of which writes `entry`. `copies`: the profile `source`."""

    make: tuple[str, ...]
    entry: str = "in.ts"
    copies: bool = False


@dataclass(frozen=True, kw_only=True)
class IssueInput:
    """An input and its issues: the seconds of the media from which and until which the fault is there."""

    name: str
    about: str
    connections: tuple[Connection, ...]
    issues: Mapping[IssueType, tuple[float, float]]
    # Others that the same fault may bring.
    may_have: tuple[IssueType, ...] = ()


def clip(
    out: str,
    seconds: float,
    *,
    picture: str = "",
    sound: str = "",
    encode: str = "",
    size: str = SIZE,
    has_sound: bool = True,
    rate: str = "25",
) -> str:
    """Return a command for a clip. `picture` and `sound` are filters, `encode` options, `rate` pictures a second."""
    video = f'-f lavfi -i "testsrc2=s={size}:r={rate}{"," + picture if picture else ""}"'
    audio = f'-f lavfi -i "sine=sample_rate=48000{"," + sound if sound else ""}"' if has_sound else ""
    form = TS if out.endswith(".ts") else ""
    return f"ffmpeg {video} {audio} -t {seconds:g} {X264} {AAC if has_sound else ''} {encode} {form} {out}"


def one(*make: str) -> tuple[Connection, ...]:
    return (Connection(make=make),)


def pieces(*lines: str) -> tuple[Connection, ...]:
    """Return a connection whose pieces come one after the other."""
    names = [line.split()[-1] for line in lines]
    return one(*lines, f"join {' '.join(names)} in.ts")


def at(seconds: float) -> str:
    """Return options for a piece whose time stamps begin there."""
    return f"-output_ts_offset {seconds:g}"


PAIRS = "if(between(T,15,55)*eq(mod(N,4),3),(N-0.9)/25/TB,N/25/TB)"
NOISE = "noise=alls=60:allf=t"
SHORT = clip("in.ts", 15)

INPUTS = (
    IssueInput(
        name="sound-gone",
        about="No packets of sound from 15 s to 35 s",
        connections=one(clip("clean.ts", 60), "cut clean.ts in.ts sound first=15 last=35"),
        issues={IssueType.AUDIO_MISSING: (15, 35)},
        may_have=(IssueType.AUDIO_GAPS, IssueType.TIMESTAMP_JUMPS),
    ),
    IssueInput(
        name="sound-gaps",
        about="100 ms of sound are missing every 4 s from 15 s to 50 s",
        connections=one(clip("in.ts", 150, sound="aselect='not(between(t,15,50)*lt(mod(t,4),0.1))'")),
        issues={IssueType.AUDIO_GAPS: (15, 50)},
    ),
    IssueInput(
        name="sound-drifts",
        about="The sound's clock is 1,000 ppm slow, and right after the sender has connected again",
        connections=(
            Connection(make=(clip("clean.ts", 90), "retime clean.ts in.ts sound ppm=1000")),
            Connection(make=(clip("in.ts", 150),)),
        ),
        issues={IssueType.AUDIO_DRIFT: (0, 90)},
    ),
    IssueInput(
        name="picture-stands",
        about="No pictures from 15 s to 40 s",
        connections=one(clip("clean.ts", 70), "cut clean.ts in.ts picture first=15 last=40"),
        issues={IssueType.PICTURE_PAUSED: (15, 40)},
        may_have=(IssueType.KEYFRAMES_FAR_APART, IssueType.TIMESTAMP_JUMPS, IssueType.FRAME_RATE_UNSTEADY),
    ),
    IssueInput(
        name="stamps-jump",
        about="The time stamps begin again at 10 s, 15 s, 20 s and 25 s",
        connections=pieces(clip("a.ts", 10), clip("b.ts", 5), clip("c.ts", 5), clip("d.ts", 5), clip("e.ts", 145)),
        issues={IssueType.TIMESTAMP_JUMPS: (10, 25)},
    ),
    IssueInput(
        name="sizes-change",
        about="The size changes at 10 s, 15 s, 20 s and 25 s",
        connections=pieces(
            clip("a.ts", 10),
            clip("b.ts", 5, size="96x54", encode=at(10)),
            clip("c.ts", 5, encode=at(15)),
            clip("d.ts", 5, size="96x54", encode=at(20)),
            clip("e.ts", 145, encode=at(25)),
        ),
        issues={IssueType.FORMAT_CHANGES: (10, 25), IssueType.PICTURE_SIZE_CHANGED: (10, 25)},
    ),
    IssueInput(
        name="packets-broken",
        about="The sound is damaged from 10 s to 30 s, in every fourth packet",
        connections=one(clip("clean.ts", 160), "damage clean.ts in.ts sound first=10 last=30 every=4"),
        issues={IssueType.DAMAGED_MEDIA: (10, 30)},
        # What is cut out for good moves the sound.
        may_have=(IssueType.AUDIO_GAPS, IssueType.FORMAT_CHANGES, IssueType.AUDIO_DRIFT),
    ),
    IssueInput(
        name="keyframes-far",
        about="A keyframe every 10 s from 20 s to 50 s, else every 2 s",
        connections=pieces(
            clip("a.ts", 20),
            clip("b.ts", 30, encode=f"-g 250 {at(20)}"),
            clip("c.ts", 50, encode=at(50)),
        ),
        issues={IssueType.KEYFRAMES_FAR_APART: (20, 50)},
    ),
    IssueInput(
        name="bitrate-changes",
        about="1 Mbit/s, a fifth of it from 80 s to 110 s, and five times as much from 150 s to 195 s",
        connections=pieces(
            clip("a.ts", 80, picture=NOISE, encode="-b:v 1M -maxrate 1M -bufsize 500k"),
            clip("b.ts", 30, encode=f"-b:v 100k -maxrate 100k -bufsize 50k {at(80)}"),
            clip("c.ts", 40, picture=NOISE, encode=f"-b:v 1M -maxrate 1M -bufsize 500k {at(110)}"),
            clip("d.ts", 45, picture=NOISE, encode=f"-qp 4 {at(150)}"),
            clip("e.ts", 50, picture=NOISE, encode=f"-b:v 1M -maxrate 1M -bufsize 500k {at(195)}"),
        ),
        issues={IssueType.BITRATE_LOW: (80, 110), IssueType.BITRATE_ABOVE_LADDER: (150, 195)},
    ),
    IssueInput(
        name="pictures-in-pairs",
        about="Every fourth picture comes together with the one before, from 15 s to 55 s",
        connections=one(
            clip(
                "in.ts",
                100,
                picture=f"settb=1/1000,setpts='{PAIRS}'",
                encode="-vsync passthrough -enc_time_base 1/1000",
            )
        ),
        issues={IssueType.FRAME_RATE_UNSTEADY: (15, 55), IssueType.FRAMES_DROPPED: (15, 55)},
    ),
    IssueInput(
        name="interlaced",
        about="An interlaced sender, and a progressive one after it",
        connections=(
            Connection(
                make=(clip("in.ts", 20, picture="fps=50,interlace", encode="-flags +ildct+ilme -x264-params tff=1"),)
            ),
            Connection(make=(clip("in.ts", 20),)),
        ),
        issues={IssueType.INTERLACED: (0, 20)},
    ),
    IssueInput(
        name="rotated",
        about="A file that a phone has turned, and another one after it",
        connections=(
            Connection(
                make=(clip("clean.mp4", 20), "ffmpeg -i clean.mp4 -c copy -metadata:s:v rotate=90 in.mp4"),
                entry="in.mp4",
            ),
            Connection(make=(clip("in.mp4", 20),), entry="in.mp4"),
        ),
        issues={IssueType.ROTATED: (0, 20)},
    ),
    IssueInput(
        name="no-sound-track",
        about="A sender without sound, and one with sound after it",
        connections=(Connection(make=(clip("in.ts", 20, has_sound=False),)), Connection(make=(clip("in.ts", 30),))),
        issues={IssueType.AUDIO_ABSENT: (0, 20)},
    ),
    IssueInput(
        name="codec-refused",
        about="VP9 and Opus with the profile source, and H.264 with AAC after it",
        connections=(
            Connection(
                make=(clip("in.mkv", 2, encode="-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),),
                entry="in.mkv",
                copies=True,
            ),
            Connection(make=(clip("in.mp4", 30),), entry="in.mp4", copies=True),
        ),
        issues={IssueType.CODEC_REFUSED: (0, 15)},
    ),
    IssueInput(
        name="turned-and-copied",
        about="A turned file with the profile source, and an upright one after it",
        connections=(
            Connection(
                make=(clip("clean.mp4", 2), "ffmpeg -i clean.mp4 -c copy -metadata:s:v rotate=90 in.mp4"),
                entry="in.mp4",
                copies=True,
            ),
            Connection(make=(clip("in.mp4", 30),), entry="in.mp4", copies=True),
        ),
        issues={IssueType.SOURCE_REFUSED: (0, 15)},
    ),
)
