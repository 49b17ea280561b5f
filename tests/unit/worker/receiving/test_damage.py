import io
from typing import Any

import av
import pytest

from tests.unit.worker.clips import clip, gray, silence
from worker.receiving import __main__ as receiving
from worker.receiving.packets import AudioTrack, VideoTrack

PICTURES = 20
H264 = ("libx264", {"tune": "zerolatency", "x264-params": "keyint=5"})
MATROSKA = clip("matroska", [gray(n, pts=n) for n in range(PICTURES)], H264)
ADPCM = clip("avi", [silence(n * 1_024, "s16p", fill=n) for n in range(40)], audio="adpcm_ima_wav")


def damaged(body: bytes, at: int, *numbers: int) -> tuple[Any, int]:
    """Open the container with a wrong byte at this place in these packets; return their number, too."""
    with av.open(io.BytesIO(body)) as read:
        packets = [bytes(packet) for packet in read.demux() if packet.size]
    changed = bytearray(body)
    for number in numbers:
        changed[body.index(packets[number]) + at] = 0x7F
    return av.open(io.BytesIO(changed)), len(packets)


def converted(container: Any, track: Any) -> int:
    return len(list(receiving.converted_packets(container, {0: track})))


def test_a_picture_that_cannot_be_converted_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a NAL unit that is too long."""
    container, _ = damaged(MATROSKA, 0, 7, 8)
    assert converted(container, VideoTrack(container.streams.video[0])) == PICTURES - 2
    # Too many in a row end the source.
    monkeypatch.setattr(receiving, "DAMAGED_MAX", 2)
    container, _ = damaged(MATROSKA, 0, 5, 7, 8)
    assert converted(container, VideoTrack(container.streams.video[0])) == 6


def test_sound_that_cannot_be_decoded_is_left_out() -> None:
    """The packet has an unknown step."""
    container, count = damaged(ADPCM, 2, 9)
    assert count > 10 and converted(container, AudioTrack(container.streams.audio[0])) == count - 1
