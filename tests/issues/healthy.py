"""Ordinary inputs, which open no issue."""

from tests.issues.inputs import NOISE, Connection, IssueInput, at, clip, one, pieces

STILL = "loop=loop=-1:size=1"

HEALTHY = tuple(
    IssueInput(name=name, about=about, connections=connections, issues={})
    for name, about, connections in (
        ("ordinary-25", "25 pictures a second", one(clip("in.ts", 90))),
        ("ordinary-30", "30 pictures a second", one(clip("in.ts", 90, rate="30"))),
        ("ordinary-59.94", "59.94 pictures a second", one(clip("in.ts", 90, rate="60000/1001"))),
        ("ordinary-film", "24 pictures a second with B-frames", one(clip("in.ts", 90, rate="24", encode="-bf 3"))),
        ("mono-44100", "Mono sound of 44.1 kHz", one(clip("in.ts", 90, encode="-ar 44100 -ac 1"))),
        ("mpeg-2", "MPEG-2 with layer 2 sound", one(clip("in.ts", 90, encode="-c:v mpeg2video -b:v 1M -c:a mp2"))),
        ("ordinary-file", "An MP4 file", (Connection(make=(clip("in.mp4", 90),), entry="in.mp4"),)),
        ("slide", "A still picture with sound", one(clip("in.ts", 120, picture=STILL))),
        (
            "slide-after-film",
            "1 Mbit/s, and from 80 s on a still picture, which needs hardly any",
            pieces(
                clip("a.ts", 80, picture=NOISE, encode="-b:v 1M -maxrate 1M -bufsize 500k"),
                clip("b.ts", 60, picture=STILL, encode=at(80)),
            ),
        ),
    )
)  # fmt: skip
