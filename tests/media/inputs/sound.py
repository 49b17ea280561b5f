"""Sound that is not regular, at every rate and in every codec: gaps, overlaps, drift, jumps."""

from dataclasses import replace

from tests.media.inputs.feeds import looped, sent
from tests.media.inputs.model import Expect, Input
from tests.media.inputs.recipes import clip, tone

LONG_S = 160
FREE = Expect(skew_s_max=None, silence_s_max=3.5, discontinuities_max=1, repairs={"timestamp_jumps": (1, 1)})


def edited(name: str, about: str, edit: str, encode: str = "", **more: object) -> Input:
    """Return a transport stream whose sound is edited after encoding."""
    return sent(name, about, clip("clean.ts", encode=encode), edit, **more)


def drifting(name: str, about: str, ppm: int) -> Input:
    """Return an input that is long enough to hear a drift. Its beeps are in step with the flashes."""
    steps = (clip("clean.ts", LONG_S, audio=tone(ppm=ppm)), f"retime clean.ts in.ts sound ppm={ppm}")
    return sent(name, about, *steps, turn_s=LONG_S, watch_s=LONG_S - 15, expect=Expect(seconds_min=LONG_S - 25))


def retimed(name: str, about: str, change: str, encode: str = "", **more: object) -> Input:
    """Return a transport stream whose sound has another clock than its picture."""
    return edited(name, about, f"retime clean.ts in.ts sound {change}", encode, **more)


def gap(name: str, until_s: float, encode: str, about: str, **more: object) -> Input:
    """Return a transport stream without sound from the second 9 on."""
    return edited(name, about, f"cut clean.ts in.ts sound first=9 last={until_s:g}", encode, **more)


SHORT_GAPS = (
    ("gap-20ms", 9.02, "", "A lost packet: 20 ms of AAC at 48 kHz are missing"),
    ("gap-40ms", 9.04, "", "Two lost packets: 40 ms of AAC at 48 kHz"),
    ("gap-mp2-32k", 9.12, "-c:a mp2 -ar 32000 -ac 1", "A satellite feed: 120 ms of MP2 at 32 kHz, mono"),
    ("gap-mp3-22k", 9.15, "-c:a libmp3lame -ar 22050 -ac 2", "An old encoder: 150 ms of MP3 at 22.05 kHz, stereo"),
    ("gap-aac-96k", 9.04, "-ar 96000 -ac 2 -b:a 192k", "A studio interface: 40 ms of AAC at 96 kHz, stereo"),
    ("gap-ac3-51", 9.064, "-c:a ac3 -ac 6 -b:a 320k", "Broadcast surround: 64 ms of AC-3 5.1 at 48 kHz"),
    ("gap-eac3-51", 9.064, "-c:a eac3 -ac 6 -b:a 256k", "Broadcast surround: 64 ms of E-AC-3 5.1 at 48 kHz"),
    ("gap-aac-71", 9.043, "-ac 8 -b:a 384k", "Surround of a games console: 43 ms of AAC 7.1"),
    ("gap-opus", 9.06, "-c:a libopus -ac 2", "Opus in a transport stream: 60 ms are missing"),
)
LONGER_GAPS = (
    ("gap-300ms-44k", 9.3, "-ar 44100", "A short break of a radio link: 300 ms of AAC at 44.1 kHz"),
    ("gap-aac-8k", 9.25, "-ar 8000 -ac 1 -b:a 24k", "An intercom: 250 ms of AAC at 8 kHz, mono"),
    ("gap-aac-16k", 9.2, "-ar 16000 -ac 1 -b:a 32k", "A surveillance camera: 200 ms of AAC at 16 kHz, mono"),
)
GAPS = (
    *(gap(*row) for row in SHORT_GAPS),
    *(gap(*row, expect=Expect(silence_s_max=0.5)) for row in LONGER_GAPS),
    gap("gap-2s", 11, "", "A microphone unplugged: 2 s of AAC at 48 kHz", expect=Expect(silent=((9, 11),))),
    sent(
        "gaps-20ms-stretched",
        "Two lost packets of 20 ms, 6 s apart: the sound is stretched, no silence is heard",
        clip("clean.ts"),
        "cut clean.ts a.ts sound first=5 last=5.02",
        "cut a.ts in.ts sound first=11 last=11.02",
        expect=Expect(repairs={"silence_ms": (0, 0)}),
    ),
    edited(
        "lost-packets",
        "A bad line: one sound packet in 23 is lost, all along",
        'ffmpeg -i clean.ts -c copy -bsf:a "noise=drop=not(mod(n\\,23))" -f mpegts -pes_payload_size 0 in.ts',
    ),
)

CLOCKS = (
    drifting("drift-slow-long", "A sound card 1,000 ppm slow: flash and beep stay together for minutes", 1_000),
    drifting("drift-fast-long", "A sound card 1,000 ppm fast: flash and beep stay together for minutes", -1_000),
    retimed("drift-plus-200ppm", "A sound card 200 ppm slow, at 48 kHz", "ppm=200"),
    retimed("drift-minus-200ppm", "A sound card 200 ppm fast, at 44.1 kHz", "ppm=-200", encode="-ar 44100"),
    retimed("drift-plus-1000ppm", "A clock 1,000 ppm slow, at 48 kHz", "ppm=1000"),
    retimed("drift-minus-1000ppm", "A clock 1,000 ppm fast, at 48 kHz, MP2", "ppm=-1000", encode="-c:a mp2"),
    retimed("overlap-40ms", "Sound set back by 40 ms: a buffer that was sent twice", "after=9 shift=-0.04"),
    retimed(
        "overlap-500ms",
        "Sound set back by 500 ms after a resynchronisation",
        "after=9 shift=-0.5",
        expect=replace(FREE, repairs={"trimmed_ms": (450, 550)}),
    ),
    retimed("sound-jumps-ahead", "The sound's clock alone jumps 3 s ahead", "after=9 shift=3", expect=FREE),
    retimed("sound-jumps-back", "The sound's clock alone jumps 3 s back", "after=9 shift=-3", expect=FREE),
    retimed("sound-jumps-1h", "The sound's clock alone jumps an hour ahead", "after=9 shift=3600", expect=FREE),
)

# A turn of 7 s comes twice while a viewer watches.
LOOPS = (
    *(
        looped(name, about, out, encode=encode, turn_s=7)
        for name, out, encode, about in (
            ("loop-aac-48k", "in.mp4", "", "The turn of a looped MP4 with AAC at 48 kHz"),
            ("loop-opus-mkv", "in.mkv", "-c:a libopus -ac 2", "A screen recording: Opus in Matroska"),
            ("loop-flac-mkv", "in.mkv", "-c:a flac -ar 96000", "A lossless rip: FLAC at 96 kHz in Matroska"),
            (
                "loop-vorbis-mkv",
                "in.mkv",
                "-c:a libvorbis -ac 2 -ar 44100",
                "An old rip: Vorbis at 44.1 kHz in Matroska",
            ),
            ("loop-pcm-mov", "in.mov", "-c:a pcm_s16le", "A camera's MOV with PCM at 48 kHz"),
            ("loop-pcm24-mkv", "in.mkv", "-c:a pcm_s24le -ac 6", "A capture: PCM of 24 bits, 5.1, in Matroska"),
            ("loop-mp3-mp4", "in.mp4", "-c:a libmp3lame -ar 44100", "MP3 at 44.1 kHz in MP4"),
        )
    ),
    looped(
        "loop-aac-short",
        "A looped MP4 whose sound is 0.2 s shorter than its picture",
        "in.mp4",
        turn_s=7,
        audio=tone(seconds="6.8"),
        expect=Expect(silence_s_max=0.5),
    ),
)

SOUND = (*GAPS, *CLOCKS, *LOOPS)
