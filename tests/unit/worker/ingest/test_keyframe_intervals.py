"""Keyframes of live sources that are too far apart for segments."""

import pytest

from worker.ingest.keyframe_intervals import KeyframeIntervals
from worker.media.messages import AUDIO, VIDEO, MessageReader, PacketMessage, encode_packet


def bodies(*intervals_s: float) -> list[bytes]:
    """Return the packets of a source with a picture a second, sound, and keyframes so far apart."""
    packets, at_s = [], 0.0
    for interval_s in intervals_s:
        for n in range(round(interval_s)):
            packets.append(PacketMessage(VIDEO, None, round((at_s + n) * 1e6), 0, b"x", is_keyframe=n == 0))
            packets.append(PacketMessage(AUDIO, None, round((at_s + n) * 1e6), 0, b"x", is_keyframe=True))
        at_s += interval_s
    return [body for packet in packets for _, body, _ in MessageReader().feed(encode_packet(packet))]


@pytest.mark.parametrize(
    ("intervals_s", "too_long"),
    [
        ((2, 2, 2), False),
        ((10, 10.05, 10, 10), False),
        ((12,), True),
        ((2, 16, 2, 16, 2), False),
        ((2, 16, 16), True),
    ],
)
def test_the_first_interval_or_two_in_a_row_decide(intervals_s: tuple[float, ...], too_long: bool) -> None:
    keyframes = KeyframeIntervals()
    for body in bodies(*intervals_s):
        keyframes.add(body)
    assert keyframes.are_too_long is too_long
