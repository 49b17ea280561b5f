import io

import pytest

from tests.unit.worker.clips import clip, gray
from worker.receiving.containers import _parts
from worker.receiving.request import ReceiveRequest, Transport
from worker.receiving.ts_packets import PacketReader, find_packets
from worker.receiving.ts_tables import TransportTables

# Filler that looks like the beginning of a packet, as some has.
PACKETS = [bytes([0x47, 0, number, 0x10]) + bytes([0x47 if number % 3 else number]) * 184 for number in range(40)]
STREAM = b"".join(PACKETS)
# The times of the first packets look like it too.
TIMED = b"".join(bytes([0, 0x47 + number // 10, number, 3]) + packet for number, packet in enumerate(PACKETS))
WITH_PARITY = b"".join(packet + bytes(range(80, 96)) for packet in PACKETS)
STREAMS = pytest.mark.parametrize("stream", [STREAM, TIMED, WITH_PARITY], ids=["188", "192", "204"])


def read(stream: bytes, size: int = 1_316) -> bytes:
    """Return all that is read of a stream whose bytes come in pieces of this size."""
    source = io.BytesIO(stream)
    reader = PacketReader(lambda _: source.read(size))
    return b"".join(iter(lambda: reader.read(32_768), b""))


@STREAMS
def test_packets_are_cut_to_188_bytes(stream: bytes) -> None:
    for size in (1, 100, 188, 1_316, 100_000):
        assert read(stream, size) == STREAM
    # They are found behind the end of another.
    size = len(stream) // len(PACKETS)
    assert find_packets(stream[size - 20 :])[1] == size and find_packets(stream[:900]) == (0, 0)
    # What has no packets is passed on.
    for stream in [b"", b"short", PACKETS[0], bytes(100_000)]:
        assert read(stream) == stream


@pytest.mark.parametrize("stream", [TIMED, WITH_PARITY], ids=["192", "204"])
def test_lost_bytes_cost_the_packets_around_them(stream: bytes) -> None:
    passed = read(stream[:4_000] + stream[4_100:])
    assert passed.startswith(STREAM[: 19 * 188]) and passed.endswith(STREAM[23 * 188 :])


@pytest.mark.parametrize("parity", [b"", bytes(16)], ids=["192", "204"])
def test_a_container_of_longer_packets_is_read(parity: bytes) -> None:
    muxer = {} if parity else {"mpegts_m2ts_mode": "1"}
    body = clip("mpegts", [gray(0, pts=n) for n in range(50)], ("mpeg2video", {}), muxer=muxer)
    if parity:
        body = b"".join(body[at : at + 188] + parity for at in range(0, len(body), 188))
    source, request = io.BytesIO(body), ReceiveRequest(transport=Transport.URL)
    packets = [p for container, _ in _parts(source.read, TransportTables(), request) for p in container.demux()]
    assert len([packet for packet in packets if packet.size]) == 50
