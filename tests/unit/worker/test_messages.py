import pytest

from worker.media.messages import (
    AUDIO,
    BODY_BYTES_MAX,
    VIDEO,
    MessageReader,
    PacketMessage,
    WireError,
    decode_packet,
    decoded_at_us,
    encode_packet,
    is_video_keyframe,
)

PICTURE = PacketMessage(VIDEO, 80_000, 40_000, 40_000, b"picture", is_keyframe=True)
PACKETS = [
    PICTURE,
    PacketMessage(VIDEO, None, -1, 0, b""),
    # Time lines of many years, and times before the first picture is shown.
    PacketMessage(VIDEO, 10**15, -(10**15), 2**32 - 1, b"x"),
    PacketMessage(AUDIO, 0, 0, 21_333, b"sound", is_keyframe=True, skip_samples=1024, drop_samples=7),
]
DESCRIBED = {"video": {"codec": "h264"}, "audio": None, "title": "é"}


def body_of(packet: PacketMessage) -> bytes:
    return next(MessageReader().feed(encode_packet(packet)))[1]


@pytest.mark.parametrize("packet", PACKETS)
def test_a_packet_is_the_same_at_the_other_end(packet: PacketMessage) -> None:
    body = body_of(packet)
    assert decode_packet(body) == packet
    assert decoded_at_us(body) == packet.dts_us
    assert is_video_keyframe(body) is (packet is PICTURE)
    # A duration that has no place is cut.
    for duration_us, sent_us in ((-1, 0), (2**32, 2**32 - 1)):
        assert decode_packet(body_of(PacketMessage(VIDEO, 0, 0, duration_us, b""))).duration_us == sent_us


def test_what_is_no_message_is_an_error_at_once() -> None:
    for head in (bytes(5), b"\x06" + bytes(4), b"\x02" + (BODY_BYTES_MAX + 1).to_bytes(4, "big")):
        with pytest.raises(WireError):
            list(MessageReader().feed(encode_packet(PICTURE) + head))
    # So is a packet that is cut short.
    body = body_of(PacketMessage(VIDEO, 0, 0, 0, b""))[:-1]
    for decode in (decode_packet, decoded_at_us):
        with pytest.raises(WireError):
            decode(body)
    assert not is_video_keyframe(b"") and not is_video_keyframe(b"\x00")
