"""Sound or picture that is not there all the time, and pictures that come rarely or irregularly."""

from functools import partial

from tests.media.inputs import feeds
from tests.media.inputs.model import Expect, Input
from tests.media.inputs.recipes import AAC, TS, X264, clip, moving_bar, picture, tone

RARE = Expect(still_s_max=None, skew_s_max=None, has_clock=False)
sent = partial(feeds.sent, turn_s=24, watch_s=18)
looped = partial(feeds.looped, watch_s=16)


def cut_out(name: str, about: str, packets: str, expect: Expect, **more: object) -> Input:
    """Return a transport stream without some packets: `sound first=7 last=10`."""
    return sent(name, about, clip("clean.ts", 24), f"cut clean.ts in.ts {packets}", expect=expect, **more)


SOUND_PRESENCE = (
    sent(
        "no-sound-sent",
        "A camera without a microphone, by SRT",
        clip("in.ts", 24, sound=False),
        expect=Expect(sound=False),
    ),
    feeds.rtmp(
        "no-sound-rtmp",
        "A drone without a microphone, by RTMP",
        clip("in.flv", 10, sound=False),
        expect=Expect(sound=False),
    ),
    looped("no-sound-file", "A looped film without sound", "in.mp4", turn_s=7, sound=False, expect=Expect(sound=False)),
    cut_out(
        "sound-5s-late",
        "The sound begins 5 s after the picture",
        "sound first=-1 last=5",
        Expect(silent=((0, 5),), seconds_min=15),
    ),
    looped(
        "sound-5s-late-file",
        "A looped film whose sound begins after 5 s",
        "in.mp4",
        f"ffmpeg {picture()} -itsoffset 5 {tone()} -t 12 {X264} {AAC} in.mp4",
        turn_s=12,
        expect=Expect(silent=((0, 5),), skew_s_max=None),
    ),
    sent(
        "sound-comes-late",
        "A sender whose sound comes 0.5 s behind its picture, with the right time stamps",
        f"ffmpeg {picture()} -itsoffset 0.5 {tone()} -t 24 {X264} {AAC} {TS} clean.ts",
        "retime clean.ts in.ts sound shift=-0.5",
        expect=Expect(),
    ),
    cut_out(
        "sound-hole-3s", "No sound packets for 3 s", "sound first=7 last=10", Expect(silent=((7, 10),), seconds_min=15)
    ),
    cut_out(
        "sound-hole-9s",
        "No sound packets for 9 s, then it comes back",
        "sound first=5 last=14",
        Expect(silent=((5, 14),), seconds_min=16),
        watch_s=19,
    ),
    cut_out(
        "sound-ends",
        "The sound ends for good after 6 s",
        "sound first=6 last=99",
        Expect(silent=((6, 24),), seconds_min=15),
    ),
    looped(
        "sound-ends-early",
        "Film credits: 14 s of picture, 5 s of sound",
        "in.mp4",
        turn_s=14,
        audio=tone(seconds="5"),
        expect=Expect(silent=((5, 14),), missing_s_max=1, seconds_min=18),
        watch_s=22,
    ),
    looped(
        "picture-ends-early",
        "14 s of sound, 6 s of picture: the last picture stays",
        "in.mp4",
        f"ffmpeg {picture()} {tone()} -filter:v trim=end=6 -t 14 {X264} {AAC} in.mp4",
        turn_s=14,
        expect=Expect(still_s_max=9, silence_s_max=0.3, has_clock=False, seconds_min=16),
        watch_s=20,
    ),
    cut_out(
        "picture-ends",
        "The picture ends after 6 s, the sound continues: the last picture stays",
        "picture first=6 last=99",
        Expect(still_s_max=None, skew_s_max=None, has_clock=False, seconds_min=15),
    ),
    cut_out(
        "picture-hole-4s",
        "No picture packets for 4 s, the sound continues",
        "picture first=8 last=12",
        Expect(still_s_max=6.5, skew_s_max=None, has_clock=False, seconds_min=14),
    ),
)

PICTURES = (
    looped("slides", "Slides: a picture every 8 s", "in.mp4", turn_s=24, video=picture(rate="1/8"), expect=RARE),
    looped(
        "slides-silent",
        "Slides without sound: a picture every 12 s",
        "in.mp4",
        turn_s=36,
        video=picture(rate="1/12"),
        sound=False,
        expect=Expect(sound=False, still_s_max=None, has_clock=False),
        watch_s=40,
    ),
    sent(
        "slides-sent",
        "Slides by SRT: a picture every 10 s",
        clip("in.ts", 40, video=picture(rate="1/10"), encode="-g 2 -tune zerolatency"),
        expect=RARE,
        turn_s=40,
        watch_s=20,
    ),
    sent(
        "slides-sent-rarely",
        "Slides by SRT: a picture every 25 s, which is further apart than tracks may be",
        clip("in.ts", 75, video=picture(rate="1/25"), encode="-tune zerolatency"),
        expect=RARE,
        turn_s=75,
        watch_s=40,
    ),
    sent(
        "slides-sent-late",
        "Slides by SRT that come 25 s behind their sound: each is shown when it comes",
        clip("clean.ts", 75, video=picture(rate="1/10"), encode="-g 1 -tune zerolatency"),
        "cut clean.ts late.ts picture first=-1 last=25",
        "retime late.ts in.ts picture shift=-25",
        expect=RARE,
        turn_s=75,
        watch_s=24,
        live_s_max=45,
    ),
    looped(
        "one-picture",
        "A radio with a still picture: one picture in 10 s",
        "in.mp4",
        turn_s=10,
        video=picture(rate="1/10"),
        expect=RARE,
    ),
    looped(
        "screencast-5fps",
        "A screen recording of 5 pictures a second",
        "in.mkv",
        turn_s=8,
        video=picture(rate="5"),
        expect=Expect(skew_s_max=None),
    ),
    sent(
        "static-screen",
        "A screen on which nothing moves",
        f'ffmpeg -f lavfi -i "color=gray:s=320x180:r=25" {tone()} -t 24 {X264} {AAC} -f mpegts in.ts',
        expect=Expect(still_s_max=None, skew_s_max=None, has_clock=False, upright=False),
    ),
    sent(
        "rate-5994",
        "A camera of 59.94 pictures a second with B-frames: a ladder has every second one",
        clip("in.ts", 24, video=picture(rate="60000/1001"), encode="-bf 2 -g 120"),
        expect=Expect(pictures_per_s=(29, 31)),
    ),
    looped(
        "rate-5994-full",
        "A camera of 59.94 pictures a second, and a ladder that has them all",
        "in.mp4",
        turn_s=8,
        video=moving_bar(320, 180, "60000/1001"),
        encode="-bf 2 -g 120",
        expect=Expect(
            pictures_per_s=(59, 61),
            moves_per_s=(56, 61),
            repairs={"pictures_repeated": (0, 5), "pictures_dropped": (0, 5)},
        ),
        settings={"fps_max": 60},
    ),
    looped(
        "rate-23976",
        "Cinema: 23.976 pictures a second, as many as they are",
        "in.mkv",
        turn_s=8,
        video=picture(rate="24000/1001"),
        expect=Expect(pictures_per_s=(23, 25)),
    ),
    looped("rate-120", "A phone's slow motion: 120 pictures a second", "in.mp4", turn_s=6, video=picture(rate="120")),
    looped(
        "loop-5fps-b-frames",
        "A silent film of 5 pictures a second with B-frames: each turn is shown to its end",
        "in.mp4",
        turn_s=6,
        video=picture(rate="5"),
        encode="-bf 3 -x264-params b-adapt=0",
        sound=False,
        expect=Expect(sound=False, repairs={"pictures_dropped": (0, 1)}),
    ),
    looped(
        "vfr-phone",
        "A phone's MP4: pictures at irregular times, now and then none for half a second",
        "in.mp4",
        turn_s=9,
        video=picture(rate="30", then="select='not(between(mod(n,60),20,34))+0*random(1)'"),
        encode="-fps_mode vfr -video_track_timescale 90000",
        expect=Expect(skew_s_max=None),
    ),
    looped(
        "vfr-jitter",
        "A webcam: each picture up to 15 ms early or late",
        "in.mkv",
        turn_s=9,
        video=picture(rate="30", then="setpts='PTS+floor(15*random(0))/1000/TB'"),
        encode="-fps_mode vfr",
    ),
)

PRESENCE = (*SOUND_PRESENCE, *PICTURES)
