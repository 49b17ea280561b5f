import io
import os
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from tests.unit.worker.clips import clip, gray, silence
from worker.encoding.copy_segmentation import FILE_FORMATS
from worker.media.adts import adts_header
from worker.media.messages import Kind, MessageReader
from worker.receiving import __main__ as receiving
from worker.receiving.containers import ReceiveError
from worker.receiving.packets import AudioTrack, VideoTrack, parameters, times_of
from worker.receiving.request import EXIT_REFUSED, ReceiveRequest, Transport
from worker.receiving.tracks import choose

SPS, PPS, IDR = b"\x67\x42\xc0\x1e", b"\x68\xce", b"\x65picture"
HEVC_VPS, HEVC_SPS, HEVC_IDR = b"\x40\x01vps", b"\x42\x01sps", b"\x26\x01picture"
LONG, SHORT = b"\x00\x00\x00\x01", b"\x00\x00\x01"


FOUND = [
    (LONG + SPS + LONG + PPS + SHORT + IDR, SPS),
    (SHORT + SPS + SHORT + PPS + SHORT + IDR, SPS),
    (LONG + b"\x09\xf0" + LONG + SPS + b"\x00\x00" + LONG + IDR, SPS),
    (LONG + SPS + LONG + SPS + b"2" + LONG + IDR, SPS + SPS + b"2"),
    (LONG + SPS, SPS),
]
NOT_FOUND = (LONG + IDR, LONG, b"", LONG + IDR + bytes([1]) * 5_000 + LONG + SPS)


def test_the_parameters_of_a_picture_are_found() -> None:
    for data, found in (*FOUND, *((data, b"") for data in NOT_FOUND)):
        assert parameters("h264", data) == found
    assert parameters("hevc", LONG + HEVC_VPS + LONG + HEVC_SPS + SHORT + HEVC_IDR) == HEVC_SPS
    assert parameters("hevc", LONG + HEVC_IDR) == b""


def config(kind: int, rate_index: int, channels: int, rest: bytes = b"") -> bytes:
    return (kind << 11 | rate_index << 7 | channels << 3).to_bytes(2, "big") + rest


# Kind, rate and channels, and what the header says of them. SBR and PS (5, 29) are found behind a header of AAC-LC.
SAID = [(2, 3, 2, 1), (2, 4, 1, 1), (1, 12, 6, 0), (4, 0, 7, 3), (5, 6, 2, 1), (29, 6, 1, 1)]
# An own rate, a reserved one; no kind, low delay, an escaped one; 6.1, and 7.1 from the back.
UNSAID = [(2, 15, 2), (2, 13, 2), (0, 3, 2), (23, 3, 2), (31, 15, 2), (2, 3, 11), (2, 3, 12)]
OWN_RATE = config(2, 15, 2, b"\x00\xbb\x80\x10")
# As FFmpeg describes four channels in a square.
OWN_LAYOUT = bytes.fromhex("118004c4040021100d4c61766336322e32382e31303256e500")


@pytest.mark.parametrize(("kind", "rate_index", "channels", "profile"), SAID)
def test_a_header_of_adts_says_what_the_configuration_did(kind, rate_index, channels, profile) -> None:
    header = adts_header(config(kind, rate_index, channels, b"\x08\x00" if kind > 4 else b""))
    assert len(header) == 7 and header[:2] == b"\xff\xf1"
    assert (header[2] >> 6, header[2] >> 2 & 0x0F) == (profile, rate_index)
    assert (header[2] & 1) << 2 | header[3] >> 6 == channels


@pytest.mark.parametrize("described", [*(config(*each) for each in UNSAID), OWN_RATE, OWN_LAYOUT])
def test_what_no_header_of_adts_can_say_has_none(described: bytes) -> None:
    assert adts_header(described) == b""


def test_long_titles_and_languages_are_cut() -> None:
    metadata = {"title": "t" * 100_000, "language": "l" * 100_000}
    body = clip("matroska", [gray(0)], ("mpeg4", {}), metadata=metadata)
    with av.open(io.BytesIO(body)) as container:
        (offered,) = choose(container, {}, None, None).offered
    assert offered["title"] == "t" * 200 and offered["language"] == "l" * 20


def test_decoded_sound_is_decoded_when_it_is_shown() -> None:
    sound = [silence(n * 2_048, "fltp", "stereo", 44_100, 2_048) for n in range(20)]
    with av.open(io.BytesIO(clip("asf", sound, audio="wmav2"))) as read:
        track = AudioTrack(read.streams.audio[0])
        times = [times_of(each) for packet in read.demux() if packet.size for each, _ in track.convert(packet)[0]]
    assert len(times) > 10 and all(each.dts_us == each.pts_us for each in times)
    steps = {round((b.pts_us or 0) - (a.pts_us or 0), -4) for a, b in pairwise(times)}
    assert steps == {50_000}
    # Sound of unknown times has none.
    sound = decoded("mono", 48_000, None)
    sound.dts = 90_000
    times = times_of(sound)
    assert times.dts_us is None and times.pts_us is None


def test_decoded_sound_keeps_its_form() -> None:
    with av.open(io.BytesIO(clip("wav", [decoded("stereo", 48_000)], audio="pcm_s16le"))) as read:
        track = AudioTrack(read.streams.audio[0])
        track._is_plain = False
        forms = [("stereo", 48_000), ("mono", 48_000), ("stereo", 44_100), ("stereo", 48_000)]
        made_of = [track.convert(SimpleNamespace(decode=lambda form=form: [decoded(*form)]))[0] for form in forms]
        described = track.describe()
    assert {(each.layout.name, each.sample_rate) for made in made_of for each, _ in made} == {("stereo", 48_000)}
    assert all(made_of) and (described["layout"], described["rate"]) == ("stereo", 48_000)


def decoded(layout: str, rate: int, pts: int | None = 0):
    return silence(pts, "s16", layout, rate)


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
