"""Sound that is not regular, at every rate and in every codec: gaps, overlaps, drift, jumps."""

from dataclasses import replace

from tests.media.inputs.model import Expect, Feed, Input
from tests.media.inputs.recipes import clip, tone


def sent(name: str, about: str, edit: str, expect: Expect | None = None, audio: str = "", encode: str = "") -> Input:
    """A transport stream by SRT whose sound is edited after encoding."""
    steps = (clip("clean.ts", audio=audio, encode=encode), f"{edit}")
    return Input(name=name, about=about, make=steps, entry="in.ts", feed=Feed.SRT, expect=expect or Expect())


def drifting(name: str, about: str, ppm: int) -> Input:
    """Return an input that is long enough to hear a drift. Its beeps are in step with the flashes."""
    steps = (clip("clean.ts", LONG_S, audio=tone(ppm=ppm)), f"retime clean.ts in.ts sound ppm={ppm}")
    return Input(
        name=name,
        about=about,
        make=steps,
        entry="in.ts",
        feed=Feed.SRT,
        turn_s=LONG_S,
        watch_s=LONG_S - 15,
        expect=Expect(seconds_min=LONG_S - 25),
    )


def looped(name: str, about: str, out: str, encode: str, audio: str = "", expect: Expect | None = None) -> Input:
    """A file of 7 s whose turn comes twice while a viewer watches."""
    steps = (clip(out, 7, audio=audio, encode=encode),)
    return Input(name=name, about=about, make=steps, entry=out, feed=Feed.FILE, turn_s=7, expect=expect or Expect())


LONG_S = 160
GAP = "cut clean.ts in.ts sound first=9 last="
FREE = Expect(skew_s_max=None, silence_s_max=3.5, discontinuities_max=1)

GAPS = (
    sent("gap-20ms", "A lost packet: 20 ms of AAC at 48 kHz are missing", GAP + "9.02"),
    sent("gap-40ms", "Two lost packets: 40 ms of AAC at 48 kHz", GAP + "9.04"),
    sent(
        "gap-300ms-44k",
        "A short break of a radio link: 300 ms of AAC at 44.1 kHz",
        GAP + "9.3",
        Expect(silence_s_max=0.5),
        encode="-ar 44100",
    ),
    Input(
        name="gaps-20ms-stretched",
        about="Two lost packets of 20 ms, 6 s apart: the sound is stretched, no silence is heard",
        make=(
            clip("clean.ts"),
            "cut clean.ts a.ts sound first=5 last=5.02",
            "cut a.ts in.ts sound first=11 last=11.02",
        ),
        entry="in.ts",
        feed=Feed.SRT,
        expect=Expect(repairs={"silence_ms": (0, 0)}),
    ),
    sent("gap-2s", "A microphone unplugged: 2 s of AAC at 48 kHz", GAP + "11", Expect(silent=((9, 11),))),
    sent(
        "lost-packets",
        "A bad line: one sound packet in 23 is lost, all along",
        'ffmpeg -i clean.ts -c copy -bsf:a "noise=drop=not(mod(n\\,23))" -f mpegts -pes_payload_size 0 in.ts',
    ),
    sent(
        "gap-mp2-32k",
        "A satellite feed: 120 ms of MP2 at 32 kHz, mono",
        GAP + "9.12",
        encode="-c:a mp2 -ar 32000 -ac 1",
    ),
    sent(
        "gap-mp3-22k",
        "An old encoder: 150 ms of MP3 at 22.05 kHz, stereo",
        GAP + "9.15",
        encode="-c:a libmp3lame -ar 22050 -ac 2",
    ),
    sent(
        "gap-aac-8k",
        "An intercom: 250 ms of AAC at 8 kHz, mono",
        GAP + "9.25",
        Expect(silence_s_max=0.5),
        encode="-ar 8000 -ac 1 -b:a 24k",
    ),
    sent(
        "gap-aac-16k",
        "A surveillance camera: 200 ms of AAC at 16 kHz, mono",
        GAP + "9.2",
        Expect(silence_s_max=0.5),
        encode="-ar 16000 -ac 1 -b:a 32k",
    ),
    sent(
        "gap-aac-96k",
        "A studio interface: 40 ms of AAC at 96 kHz, stereo",
        GAP + "9.04",
        encode="-ar 96000 -ac 2 -b:a 192k",
    ),
    sent(
        "gap-ac3-51",
        "Broadcast surround: 64 ms of AC-3 5.1 at 48 kHz",
        GAP + "9.064",
        encode="-c:a ac3 -ac 6 -b:a 320k",
    ),
    sent(
        "gap-eac3-51",
        "Broadcast surround: 64 ms of E-AC-3 5.1 at 48 kHz",
        GAP + "9.064",
        encode="-c:a eac3 -ac 6 -b:a 256k",
    ),
    sent("gap-aac-71", "Surround of a games console: 43 ms of AAC 7.1", GAP + "9.043", encode="-ac 8 -b:a 384k"),
    sent("gap-opus", "Opus in a transport stream: 60 ms are missing", GAP + "9.06", encode="-c:a libopus -ac 2"),
)

CLOCKS = (
    drifting("drift-slow-long", "A sound card 1,000 ppm slow: flash and beep stay together for minutes", 1_000),
    drifting("drift-fast-long", "A sound card 1,000 ppm fast: flash and beep stay together for minutes", -1_000),
    sent("drift-plus-200ppm", "A sound card 200 ppm slow, at 48 kHz", "retime clean.ts in.ts sound ppm=200"),
    sent(
        "drift-minus-200ppm",
        "A sound card 200 ppm fast, at 44.1 kHz",
        "retime clean.ts in.ts sound ppm=-200",
        encode="-ar 44100",
    ),
    sent("drift-plus-1000ppm", "A clock 1,000 ppm slow, at 48 kHz", "retime clean.ts in.ts sound ppm=1000"),
    sent(
        "drift-minus-1000ppm",
        "A clock 1,000 ppm fast, at 48 kHz, MP2",
        "retime clean.ts in.ts sound ppm=-1000",
        encode="-c:a mp2",
    ),
    sent(
        "overlap-40ms",
        "Sound set back by 40 ms: a buffer that was sent twice",
        "retime clean.ts in.ts sound after=9 shift=-0.04",
    ),
    sent(
        "overlap-500ms",
        "Sound set back by 500 ms after a resynchronisation",
        "retime clean.ts in.ts sound after=9 shift=-0.5",
        replace(FREE, repairs={"trimmed_ms": (450, 550)}),
    ),
    sent(
        "sound-jumps-ahead",
        "The sound's clock alone jumps 3 s ahead",
        "retime clean.ts in.ts sound after=9 shift=3",
        FREE,
    ),
    sent(
        "sound-jumps-back",
        "The sound's clock alone jumps 3 s back",
        "retime clean.ts in.ts sound after=9 shift=-3",
        FREE,
    ),
    sent(
        "sound-jumps-1h",
        "The sound's clock alone jumps an hour ahead",
        "retime clean.ts in.ts sound after=9 shift=3600",
        FREE,
    ),
)

LOOPS = (
    looped(
        "loop-aac-48k",
        "The turn of a looped MP4 with AAC at 48 kHz",
        "in.mp4",
        "",
    ),
    looped(
        "loop-aac-short",
        "A looped MP4 whose sound is 0.2 s shorter than its picture",
        "in.mp4",
        "",
        tone(seconds="6.8"),
        Expect(silence_s_max=0.5),
    ),
    looped("loop-opus-mkv", "A screen recording: Opus in Matroska", "in.mkv", "-c:a libopus -ac 2"),
    looped("loop-flac-mkv", "A lossless rip: FLAC at 96 kHz in Matroska", "in.mkv", "-c:a flac -ar 96000"),
    looped("loop-vorbis-mkv", "An old rip: Vorbis at 44.1 kHz in Matroska", "in.mkv", "-c:a libvorbis -ac 2 -ar 44100"),
    looped("loop-pcm-mov", "A camera's MOV with PCM at 48 kHz", "in.mov", "-c:a pcm_s16le"),
    looped("loop-pcm24-mkv", "A capture: PCM of 24 bits, 5.1, in Matroska", "in.mkv", "-c:a pcm_s24le -ac 6"),
    looped("loop-mp3-mp4", "MP3 at 44.1 kHz in MP4", "in.mp4", "-c:a libmp3lame -ar 44100"),
)

SOUND = (*GAPS, *CLOCKS, *LOOPS)
