"""Time stamps that start again, jump or wrap, and formats that change within one connection."""

from dataclasses import replace
from functools import partial

from tests.media.inputs import feeds
from tests.media.inputs.model import Expect, Input
from tests.media.inputs.recipes import TS, clip, picture

CLEAN = clip("clean.ts")
JUMP = Expect(discontinuities_max=1, silence_s_max=0.6)
COPIED = replace(JUMP, sound_s_off_max=0.35)
HEVC = "-c:v libx265 -x265-params log-level=none"
sent = partial(feeds.sent, expect=replace(JUMP, repairs={"timestamp_jumps": (1, 1)}))


def changed(
    name: str, about: str, *, first="", sound=True, video="", encode="", expect: Expect = JUMP, **more: object
) -> Input:
    """Return an input of two halves of 10 s, the second in another format, with continuous time stamps."""
    second = clip("b.ts", 10, video=video, encode=encode)
    late = second.replace(TS, f"-output_ts_offset 10 -mpegts_flags +initial_discontinuity {TS} -tables_version 1")
    steps = (clip("a.ts", 10, encode=first, sound=sound), late, "join a.ts b.ts in.ts")
    return sent(name, about, *steps, expect=expect, **more)


STAMPS = (
    sent(
        "stamps-restart",
        "A sender loops a file of 8 s in one connection",
        clip("in.ts", 8),
        turn_s=8,
        turns=4,
        expect=replace(JUMP, discontinuities_max=4, seconds_min=20, repairs={"timestamp_jumps": (2, 3)}),
        watch_s=22,
    ),
    sent("jump-1h-ahead", "All time stamps jump an hour ahead", CLEAN, "retime clean.ts in.ts all after=9 shift=3600"),
    sent(
        "jump-4s-ahead",
        "All time stamps jump 4 s ahead, as after lost packets",
        CLEAN,
        "retime clean.ts in.ts all after=9 shift=4",
        expect=Expect(discontinuities_max=1, silence_s_max=4.5, still_s_max=5, skew_s_max=None),
    ),
    sent(
        "jump-1h-back",
        "All time stamps jump an hour back",
        clip("clean.ts", encode="-output_ts_offset 5000"),
        "retime clean.ts in.ts all after=9 shift=-3600",
    ),
    sent("jump-3s-back", "All time stamps jump 3 s back", CLEAN, "retime clean.ts in.ts all after=9 shift=-3"),
    sent(
        "wrap-33-bits",
        "The clock of 33 bits wraps, as it does every 26.5 hours",
        CLEAN,
        "retime clean.ts in.ts all shift=95434",
        expect=Expect(),
    ),
    sent(
        "starts-at-5000s",
        "A transport stream that begins at 5,000 s",
        clip("in.ts", encode="-output_ts_offset 5000"),
        expect=Expect(),
    ),
    sent(
        "no-clock-reference",
        "A transport stream whose clock reference is an hour off its time stamps",
        CLEAN,
        "retime clean.ts a.ts picture shift=3600",
        "retime a.ts in.ts sound shift=3600",
        expect=Expect(),
    ),
    feeds.looped(
        "edit-list",
        "A phone's trimmed MP4: an edit list begins within a group of pictures",
        "in.mp4",
        clip("long.mp4", 10, encode="-bf 2"),
        "ffmpeg -ss 1.3 -i long.mp4 -c copy in.mp4",
        turn_s=8.7,
        # What is before the edit list's beginning has its time in ffmpeg's loops.
        expect=Expect(silence_s_max=1.5, still_s_max=2.2),
    ),
    feeds.looped(
        "negative-start",
        "A Matroska file whose sound begins before its picture, below zero",
        "in.mkv",
        clip("a.mp4", 9),
        "ffmpeg -itsoffset -0.5 -i a.mp4 -i a.mp4 -map 1:v -map 0:a -c copy -avoid_negative_ts disabled in.mkv",
        turn_s=9,
        expect=Expect(skew_s_max=0.6, silence_s_max=0.8),
    ),
)

CHANGES = (
    changed("size-changes", "The picture changes from 320x180 to 160x90", video=picture("160x90")),
    changed(
        "shape-changes",
        "The picture changes from 16:9 to 4:3",
        video=picture("240x180"),
        expect=replace(JUMP, shape=None, upright=False),
    ),
    changed(
        "size-changes-copied",
        "The picture changes from 320x180 to 160x90, passed on as it is",
        video=picture("160x90"),
        profile="source",
        expect=replace(COPIED, discontinuities_min=1, sizes=("320x180", "160x90")),
    ),
    changed("rate-changes", "The sound changes from 48 to 44.1 kHz", encode="-ar 44100"),
    changed(
        "channels-change",
        "The sound changes from stereo to 5.1, as between film and advertisement",
        first="-c:a ac3 -ac 2",
        encode="-c:a ac3 -ac 6",
    ),
    changed("h264-to-hevc", "The picture changes from H.264 to HEVC", encode=HEVC),
    changed(
        "h264-to-hevc-copied",
        "The picture changes from H.264 to HEVC, passed on as it is",
        encode=HEVC,
        profile="source",
        expect=COPIED,
    ),
    changed("aac-to-ac3", "The sound changes from AAC to AC-3", encode="-c:a ac3 -ac 2"),
    changed("aac-to-mp2", "The sound changes from AAC to MP2", encode="-c:a mp2 -ac 2"),
    changed("fps-changes", "The picture changes from 25 to 50 pictures a second", video=picture(rate="50")),
    changed(
        "sound-added",
        "A source without sound gets sound after 10 s",
        sound=False,
        expect=Expect(discontinuities_max=1, silence_s_max=12, has_clock=False, seconds_min=14),
        watch_s=18,
    ),
)

STAMPS_AND_CHANGES = (*STAMPS, *CHANGES)
