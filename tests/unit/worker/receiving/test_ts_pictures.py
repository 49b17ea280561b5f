"""Pictures of a transport stream that pauses, through libavformat and packet by packet."""

import io
from collections.abc import Iterator
from typing import Any

import av
import pytest

from tests.unit.worker.clips import clip, gray, silence
from tests.unit.worker.receiving.test_ts_tables import AAC, H264, PAT, PMT, SOUND, VIDEO, packets
from worker.receiving.containers import TRANSPORT_STREAM, Part
from worker.receiving.packets import VideoTrack
from worker.receiving.ts_pictures import CLOCK_TICKS, END_MARK, PACKET_BYTES, PAUSE_TICKS, PictureEnds, is_end
from worker.receiving.ts_tables import TransportTables

SLIDE_S, SLIDES = 4, 4
RATE = 48_000


def slides(codec: str, options: dict[str, str]) -> bytes:
    """Return a transport stream with a picture every four seconds, and sound all the time."""
    frames = []
    for number in range(SLIDES):
        frames.append(gray(16 + number * 40, (320, 180), number * SLIDE_S * 25))
        frames += [silence(at) for at in range(number * SLIDE_S * RATE, (number + 1) * SLIDE_S * RATE, 1_024)]
    return clip("mpegts", frames, (codec, options), "aac")


def received(stream: bytes) -> Iterator[tuple[float, float, bytes]]:
    """Return each picture's time, how far the sound had come before it, and its data, as from a receiver."""
    container = av.open(Part(io.BytesIO(stream).read, TransportTables()), format=TRANSPORT_STREAM)
    track: Any = VideoTrack(container.streams.video[0])
    heard_s = 0.0
    for packet in container.demux():
        if packet.size and packet.stream.type == "audio":
            heard_s = float(packet.pts * packet.time_base)
        elif packet.size:
            for made, data in track.convert(packet)[0]:
                yield float(made.pts * made.time_base), heard_s, data


X265 = {"tune": "zerolatency", "x265-params": "log-level=none:frame-threads=1:keyint=3"}
SLIDE_CODECS = [
    *(("libx264", {"tune": "zerolatency", "g": "1"}), ("libx264", {"tune": "zerolatency", "g": "3"})),
    *(("libx265", X265), ("mpeg2video", {"g": "3"}), ("mpeg4", {"g": "3"})),
]


@pytest.mark.parametrize(("codec", "options"), SLIDE_CODECS)
def test_a_slide_comes_as_soon_as_its_track_pauses(codec: str, options: dict[str, str]) -> None:
    came = list(received(slides(codec, options)))
    times = [at_s for at_s, _, _ in came]
    assert [round(at_s - times[0]) for at_s in times] == [n * SLIDE_S for n in range(SLIDES)]
    # What a probe has read is handed on from its beginning.
    assert all(heard_s - at_s < 1.5 for at_s, heard_s, _ in came)
    decoder = av.CodecContext.create({"libx264": "h264", "libx265": "hevc"}.get(codec, codec), "r")
    frames = [frame for _, _, data in came for frame in decoder.decode(av.Packet(data))] + decoder.decode(None)
    assert [round(bytes(frame.planes[0])[0] / 40) for frame in frames] == [0, 1, 2, 3]


def pes(at: int, body: bytes) -> bytes:
    """Return a PES packet of unknown length that is shown at this time."""
    shown = bytes([0x21 | at >> 29 & 0x0E, at >> 22 & 0xFF, at >> 14 & 0xFE | 1, at >> 7 & 0xFF, at << 1 & 0xFE | 1])
    return b"\x00\x00\x01\xe0\x00\x00\x80\x80\x05" + shown + body


def picture(at: int = 0, size: int = 400) -> bytes:
    return packets(VIDEO.pid, pes(at, b"\x00\x00\x01\x65" + b"p" * size))


def sound(at: int) -> bytes:
    return packets(SOUND.pid, pes(at % CLOCK_TICKS, b"sound"))


def short(payload: bytes) -> bytes:
    """Return a packet of the picture with no more payload than this."""
    filler = PACKET_BYTES - 6 - len(payload)
    return bytes([0x47, 0x40 | VIDEO.pid >> 8, VIDEO.pid & 0xFF, 0x30, 1 + filler, 0]) + bytes(filler) + payload


def ends(stream: bytes, kind: int = H264) -> list[bytes]:
    """Return what comes before each packet, if anything."""
    looked = PictureEnds()
    looked.follow([(VIDEO.pid, kind), (SOUND.pid, AAC)])
    pieces = (stream[at : at + PACKET_BYTES] for at in range(0, len(stream), PACKET_BYTES))
    return [made for piece in pieces if (made := looked.look((piece[1] & 0x1F) << 8 | piece[2], piece))]


@pytest.mark.parametrize("first", [0, 1_000, CLOCK_TICKS - PAUSE_TICKS // 2], ids=["zero", "later", "wraps"])
def test_sound_that_goes_on_ends_a_picture_once(first: int) -> None:
    assert ends(picture() + sound(first) + sound(first + PAUSE_TICKS - 1)) == []
    (made,) = ends(picture() + sound(first) + sound(first + PAUSE_TICKS) + sound(first + 9 * PAUSE_TICKS))
    assert len(made) % PACKET_BYTES == 0 and made[0] == 0x47
    # It counts as the last one did, and says that it does.
    assert {(made[at + 3] & 0x0F, made[at + 5] & 0x80) for at in range(0, len(made), PACKET_BYTES)} == {(0, 0x80)}


PAUSE = sound(0) + sound(PAUSE_TICKS)
NO_ENDS = {
    "no picture": PAUSE,
    "pictures": (picture() + sound(0)) + (picture() + sound(PAUSE_TICKS)),
    # In the middle of a picture bytes come all the time.
    "one that goes on": picture()[:PACKET_BYTES] + sound(0) + picture()[PACKET_BYTES:] + sound(PAUSE_TICKS),
    "sound that jumps back": picture() + sound(5 * PAUSE_TICKS) + sound(0) + sound(PAUSE_TICKS - 1),
    "damage": packets(VIDEO.pid, b"no PES packet") + PAUSE,
    "a header alone": short(pes(0, b"")) + PAUSE,
    "half a header": short(pes(0, b"")[:5]) + PAUSE,
}


@pytest.mark.parametrize("stream", NO_ENDS.values(), ids=NO_ENDS)
def test_nothing_else_does(stream: bytes) -> None:
    assert ends(stream) == []
    # Tracks that are no picture are let through.
    assert ends(picture() + PAUSE, kind=0x06) == [] and len(ends(picture() + PAUSE)) == 1


def test_the_end_comes_before_the_packet_that_shows_it_and_repeats_how_the_picture_begins() -> None:
    before, last = PAT + PMT + picture(size=20_000) + sound(0), sound(PAUSE_TICKS)
    passed = TransportTables().feed(before + last)
    assert passed.startswith(before) and passed.endswith(last)
    made = passed[len(before) : -len(last)]
    assert 8_192 < len(made) < 9_500 and is_end(made + bytes(4)) and END_MARK not in before
    # A clean stream passes as it is.
    stream = PAT + PMT + b"".join(picture(n * 3600) + sound(n * 3600) for n in range(100))
    assert TransportTables().feed(stream) == stream
