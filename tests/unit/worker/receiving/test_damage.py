import io
import os
from pathlib import Path
from typing import Any

import av
import pytest

from tests.unit.worker.clips import clip, gray, silence
from worker.encoding.copy_segmentation import FILE_FORMATS
from worker.media.messages import Kind, MessageReader
from worker.receiving import __main__ as receiving
from worker.receiving.containers import ReceiveError
from worker.receiving.packets import AudioTrack, VideoTrack
from worker.receiving.request import EXIT_REFUSED, ReceiveRequest, Transport

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


def test_a_packet_that_fits_in_no_message_is_refused_and_the_tracks_are_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "large.mkv").write_bytes(MATROSKA)
    request = ReceiveRequest(
        transport=Transport.FILE, url=f"file:{tmp_path}/large.mkv", formats=FILE_FORMATS, is_live=False
    )
    monkeypatch.setattr(receiving, "DATA_BYTES_MAX", 16)
    read_end, write_end = os.pipe()
    with pytest.raises(ReceiveError, match="it has a packet of 0 MiB") as refused:
        receiving.Receiver(request, write_end).run()
    os.close(write_end)
    with os.fdopen(read_end, "rb") as written:
        assert [kind for kind, _, _ in MessageReader().feed(written.read())] == [Kind.TRACKS]
    assert refused.value.status == EXIT_REFUSED
