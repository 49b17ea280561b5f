"""Parameter sets in the bytes of packets, and those that are prepended."""

import io
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import av
import pytest

from worker.media.adts import adts_header
from worker.receiving.packets import AudioTrack, parameters, times_of

SPS, PPS, IDR = b"\x67\x42\xc0\x1e", b"\x68\xce", b"\x65picture"
HEVC_VPS, HEVC_SPS, HEVC_IDR = b"\x40\x01vps", b"\x42\x01sps", b"\x26\x01picture"
LONG, SHORT = b"\x00\x00\x00\x01", b"\x00\x00\x01"


@pytest.mark.parametrize(
    ("codec", "data", "found"),
    [
        ("h264", LONG + SPS + LONG + PPS + SHORT + IDR, SPS),
        ("h264", SHORT + SPS + SHORT + PPS + SHORT + IDR, SPS),
        ("h264", LONG + b"\x09\xf0" + LONG + SPS + b"\x00\x00" + LONG + IDR, SPS),
        ("h264", LONG + SPS + LONG + SPS + b"2" + LONG + IDR, SPS + SPS + b"2"),
        ("h264", LONG + SPS, SPS),
        ("h264", LONG + IDR, b""),
        ("h264", LONG, b""),
        ("h264", b"", b""),
        ("h264", LONG + IDR + bytes([1]) * 5_000 + LONG + SPS, b""),
        ("hevc", LONG + HEVC_VPS + LONG + HEVC_SPS + SHORT + HEVC_IDR, HEVC_SPS),
        ("hevc", LONG + HEVC_IDR, b""),
    ],
)
def test_the_parameters_of_a_picture_are_found(codec: str, data: bytes, found: bytes) -> None:
    assert parameters(codec, data) == found


def config(kind: int, rate_index: int, channels: int, rest: bytes = b"") -> bytes:
    return (kind << 11 | rate_index << 7 | channels << 3).to_bytes(2, "big") + rest


@pytest.mark.parametrize(
    ("described", "profile", "rate_index", "channels"),
    [
        (config(2, 3, 2), 1, 3, 2),
        (config(2, 4, 1), 1, 4, 1),
        (config(1, 12, 6), 0, 12, 6),
        (config(4, 0, 7), 3, 0, 7),
        # SBR and PS: the decoder finds them by itself behind a header of AAC-LC.
        (config(5, 6, 2, b"\x08\x00"), 1, 6, 2),
        (config(29, 6, 1, b"\x08\x00"), 1, 6, 1),
    ],
)
def test_a_header_of_adts_says_what_the_configuration_did(
    described: bytes, profile: int, rate_index: int, channels: int
) -> None:
    header = adts_header(described)
    assert len(header) == 7 and header[:2] == b"\xff\xf1"
    assert (header[2] >> 6, header[2] >> 2 & 0x0F) == (profile, rate_index)
    assert (header[2] & 1) << 2 | header[3] >> 6 == channels


@pytest.mark.parametrize(
    "described",
    [
        config(2, 15, 2, b"\x00\xbb\x80\x10"),
        config(2, 13, 2),
        config(0, 3, 2),
        config(23, 3, 2),
        config(31, 15, 2),
        # As FFmpeg describes four channels in a square.
        bytes.fromhex("118004c4040021100d4c61766336322e32382e31303256e500"),
        config(2, 3, 11),
        config(2, 3, 12),
    ],
    ids=["own rate", "reserved rate", "none", "low delay", "escaped", "own layout", "6.1", "7.1 from the back"],
)
def test_what_no_header_of_adts_can_say_has_none(described: bytes) -> None:
    assert adts_header(described) == b""


def test_decoded_sound_is_decoded_when_it_is_shown() -> None:
    out = io.BytesIO()
    with av.open(out, "w", "asf") as made:
        audio = made.add_stream("wmav2", rate=44_100)
        audio.layout, audio.bit_rate = "stereo", 128_000
        for number in range(20):
            sound = av.AudioFrame("fltp", "stereo", 2048)
            for plane in sound.planes:
                plane.update(bytes(8192))
            sound.sample_rate, sound.pts = 44_100, number * 2048
            made.mux(audio.encode(sound))
    out.seek(0)
    with av.open(out) as read:
        track = AudioTrack(read.streams.audio[0])
        times = [times_of(each) for packet in read.demux() if packet.size for each, _ in track.convert(packet)[0]]
    assert len(times) > 10 and all(each.dts_us == each.pts_us for each in times)
    steps = {round((b.pts_us or 0) - (a.pts_us or 0), -4) for a, b in pairwise(times)}
    assert steps == {50_000}


def test_decoded_sound_keeps_its_form() -> None:
    out = io.BytesIO()
    with av.open(out, "w", "wav") as made:
        audio = made.add_stream("pcm_s16le", rate=48_000)
        audio.layout = "stereo"
        made.mux(audio.encode(decoded("stereo", 48_000)))
    out.seek(0)
    with av.open(out) as read:
        track = AudioTrack(read.streams.audio[0])
        track._is_plain = False
        forms = [("stereo", 48_000), ("mono", 48_000), ("stereo", 44_100), ("stereo", 48_000)]
        made_of = [track.convert(SimpleNamespace(decode=lambda form=form: [decoded(*form)]))[0] for form in forms]
        described = track.describe()
    assert {(each.layout.name, each.sample_rate) for made in made_of for each, _ in made} == {("stereo", 48_000)}
    assert all(made_of) and (described["layout"], described["rate"]) == ("stereo", 48_000)


def decoded(layout: str, rate: int) -> av.AudioFrame:
    sound = av.AudioFrame("s16", layout, 1024)
    sound.planes[0].update(bytes(sound.planes[0].buffer_size))
    sound.sample_rate, sound.pts = rate, 0
    return sound


def test_decoded_sound_of_unknown_times_has_none() -> None:
    sound = av.AudioFrame("s16", "mono", 1024)
    sound.sample_rate, sound.dts, sound.time_base = 48_000, 90_000, Fraction(1, 48_000)
    times = times_of(sound)
    assert times.dts_us is None and times.pts_us is None
