"""Packets that are damaged, in containers that are not."""

import io
from typing import Any

import av
import pytest

from worker.receiving import __main__ as receiving
from worker.receiving.packets import AudioTrack, VideoTrack

PICTURES = 20


def matroska(*damaged: int) -> Any:
    """Return an opened container with 20 pictures of H.264, in which these have a NAL unit that is too long."""
    out = io.BytesIO()
    with av.open(out, "w", "matroska") as made:
        video = made.add_stream("libx264", rate=25, options={"tune": "zerolatency", "x264-params": "keyint=5"})
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        for number in range(PICTURES):
            picture = av.VideoFrame(64, 64, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([number]) * plane.buffer_size)
            picture.pts = number
            made.mux(video.encode(picture))
    body = bytearray(out.getvalue())
    with av.open(io.BytesIO(body)) as read:
        packets = [bytes(packet) for packet in read.demux() if packet.size]
    for number in damaged:
        body[body.index(packets[number])] = 0x7F
    return av.open(io.BytesIO(body))


def adpcm(damaged: int) -> tuple[Any, int]:
    """Return an opened container with ADPCM, of which this packet has an unknown step, and its number of packets."""
    out = io.BytesIO()
    with av.open(out, "w", "avi") as made:
        audio = made.add_stream("adpcm_ima_wav", rate=48_000)
        audio.layout = "mono"
        for number in range(40):
            sound = av.AudioFrame("s16p", "mono", 1024)
            sound.planes[0].update(bytes([number]) * 2048)
            sound.sample_rate, sound.pts = 48_000, number * 1024
            made.mux(audio.encode(sound))
    body = bytearray(out.getvalue())
    with av.open(io.BytesIO(body)) as read:
        packets = [bytes(packet) for packet in read.demux() if packet.size]
    body[body.index(packets[damaged]) + 2] = 0x7F
    return av.open(io.BytesIO(body)), len(packets)


def converted(container: Any, track: Any) -> int:
    return len(list(receiving.converted_packets(container, {0: track})))


def test_a_picture_that_cannot_be_converted_is_left_out() -> None:
    container = matroska(7, 8)
    assert converted(container, VideoTrack(container.streams.video[0])) == PICTURES - 2


def test_sound_that_cannot_be_decoded_is_left_out() -> None:
    container, count = adpcm(9)
    assert count > 10 and converted(container, AudioTrack(container.streams.audio[0])) == count - 1


def test_too_many_damaged_packets_in_a_row_end_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "DAMAGED_MAX", 2)
    container = matroska(5, 7, 8)
    assert converted(container, VideoTrack(container.streams.video[0])) == 6
