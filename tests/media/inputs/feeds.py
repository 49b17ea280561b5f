"""Inputs by the way in which they reach the platform."""

from tests.media.inputs.model import Expect, Feed, Input
from tests.media.inputs.recipes import clip

# Of what is sent by RTMP, several turns are seen.
TURNS = Expect(discontinuities_max=2, silence_s_max=0.6)


def looped(
    name: str, about: str, out: str, *steps: str, turn_s: float = 8, video="", audio="", encode="", sound=True, **more
) -> Input:
    """Return a file, which the platform loops: a clip, unless `steps` make it."""
    make = steps or (clip(out, turn_s, video=video, audio=audio, encode=encode, sound=sound),)
    return Input(name=name, about=about, make=make, entry=out, feed=Feed.FILE, turn_s=turn_s, **more)


def sent(name: str, about: str, *make: str, **more: object) -> Input:
    """Return a transport stream, which is sent by SRT byte for byte."""
    return Input(name=name, about=about, make=make, entry="in.ts", feed=Feed.SRT, **more)


def rtmp(name: str, about: str, *steps: str, encode: str = "", expect: Expect = TURNS, **more: object) -> Input:
    """Return a clip of 10 s, which is sent by RTMP, as OBS does."""
    make = steps or (clip("in.flv", 10, encode=encode),)
    return Input(name=name, about=about, make=make, entry="in.flv", feed=Feed.RTMP, turn_s=10, expect=expect, **more)
