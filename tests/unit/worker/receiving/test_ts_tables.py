import pytest

from worker.receiving.ts_tables import PACKET_BYTES, ElementaryStream, TransportTables, crc_of

H264, HEVC, AAC = 0x1B, 0x24, 0x0F
VIDEO, SOUND, OTHER = ElementaryStream(256, H264), ElementaryStream(257, AAC), ElementaryStream(258, AAC)
DVB_NAME = bytes([0x48, 3, 1, 0, 0])


def packets(pid: int, payload: bytes, filler: int = 0xFF) -> bytes:
    """Return the payload in as many packets as it needs, of which the first begins something."""
    made, begins = b"", 0x40
    while payload or begins:
        head = bytes([0x47, begins | pid >> 8, pid & 0xFF, 0x10])
        part, payload = payload[:184], payload[184:]
        made, begins = made + head + part + bytes([filler]) * (184 - len(part)), 0
    return made


def section(table: int, number: int, body: bytes, *, in_force: bool = True) -> bytes:
    length = 5 + len(body) + 4
    head = bytes([table, 0xB0 | length >> 8, length & 0xFF, *number.to_bytes(2, "big"), 0xC0 | in_force, 0, 0])
    return head + body + crc_of(head + body).to_bytes(4, "big")


def pat(programs: dict[int, int]) -> bytes:
    body = b"".join(number.to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big") for number, pid in programs.items())
    return packets(0, b"\x00" + section(0, 1, body))


def pmt_section(number: int, *tracks: ElementaryStream, described: bytes = b"", in_force: bool = True) -> bytes:
    body = b"\xe1\x00" + (0xF000 | len(described)).to_bytes(2, "big") + described
    for track in tracks:
        words = bytes([0x0A, 4, *track.language.encode(), 0]) if track.language else b""
        words = DVB_NAME + words
        body += bytes([track.stream_type]) + (0xE000 | track.pid).to_bytes(2, "big")
        body += (0xF000 | len(words)).to_bytes(2, "big") + words
    return section(2, number, body, in_force=in_force)


def pmt(pid: int, *tracks: ElementaryStream, number: int = 1, in_force: bool = True) -> bytes:
    return packets(pid, b"\x00" + pmt_section(number, *tracks, in_force=in_force))


PAT = pat({0: 16, 1: 32})
PMT = pmt(32, VIDEO, SOUND)
DATA = packets(256, b"picture", filler=0x47)
STREAM = PAT + PMT + DATA
LONG = b"\x00\x02\xbf\xff" + bytes(180)


def test_programmes_and_their_tracks_are_found() -> None:
    english = ElementaryStream(300, AAC, "eng")
    tables = TransportTables()
    stream = pat({0: 16, 1: 32, 2: 33}) + PMT + pmt(33, ElementaryStream(299, HEVC), english, number=2) + DATA
    assert tables.feed(stream) == stream
    assert tables.programs == {1: (VIDEO, SOUND), 2: (ElementaryStream(299, HEVC), english)}
    # A programme that is gone is forgotten.
    assert tables.feed(PAT) == PAT and tables.programs == {1: (VIDEO, SOUND)}
    assert not tables.has_changed


@pytest.mark.parametrize("garbage", [b"garbage", b"\x00G", bytes(1_000)])
def test_pieces_may_end_anywhere_and_damage_between_packets_is_left_out(garbage: bytes) -> None:
    for size in (1, 7, PACKET_BYTES - 1, PACKET_BYTES + 1, 1_000):
        tables, stream = TransportTables(), STREAM * 3
        assert b"".join(tables.feed(stream[at : at + size]) for at in range(0, len(stream), size)) == stream
        assert tables.programs == {1: (VIDEO, SOUND)}
    tables = TransportTables()
    passed = tables.feed(garbage + STREAM + garbage + STREAM + DATA)
    assert passed == STREAM + STREAM + DATA and tables.programs == {1: (VIDEO, SOUND)}


@pytest.mark.parametrize("now", [(VIDEO, OTHER), (VIDEO, SOUND, OTHER), (VIDEO,), (ElementaryStream(256, HEVC), SOUND)])
def test_a_change_of_tracks_ends_a_part(now: tuple[ElementaryStream, ...]) -> None:
    tables, changed = TransportTables(), pmt(32, *now)
    # A demuxer that read the new table would have a track more than it was opened with.
    assert tables.feed(STREAM + changed + DATA + DATA) == STREAM
    assert tables.has_changed and tables.feed(DATA) == b""
    assert tables.reopen() == PAT + changed
    assert not tables.has_changed and tables.feed(b"") == DATA * 3
    assert tables.programs == {1: now}


def test_a_picture_that_a_table_leaves_out_for_a_moment_is_kept() -> None:
    tables, soundless = TransportTables(), pmt(32, VIDEO)
    assert tables.feed(STREAM + pmt(32, SOUND) + DATA + PMT) == STREAM + pmt(32, SOUND) + DATA + PMT
    assert tables.programs == {1: (VIDEO, SOUND)} and not tables.has_changed
    assert tables.feed(pmt(32, OTHER) + DATA) == pmt(32, OTHER) + DATA
    assert tables.reopen() == PAT + PMT
    tables.feed(soundless)
    assert tables.has_changed and tables.programs == {1: (VIDEO,)}


SAME = {
    "again": PMT,
    "another order": pmt(32, SOUND, VIDEO),
    "unknown": pmt(999, VIDEO),
    "a language": pmt(32, VIDEO, ElementaryStream(257, AAC, "deu")),
    "not in force yet": pmt(32, VIDEO, in_force=False),
    "another programme's": pmt(32, VIDEO, number=9),
}


@pytest.mark.parametrize("table", SAME.values(), ids=SAME)
def test_nothing_else_is_a_change(table: bytes) -> None:
    tables = TransportTables()
    assert tables.feed(STREAM + table + DATA) == STREAM + table + DATA and not tables.has_changed


def test_a_table_may_take_several_packets_and_come_among_others() -> None:
    many = tuple(ElementaryStream(256 + n, AAC, "eng") for n in range(30))
    table, tables = pmt(32, *many), TransportTables()
    pieces = [table[at : at + PACKET_BYTES] for at in range(0, len(table), PACKET_BYTES)]
    assert len(pieces) > 1
    stream = PAT + DATA.join(pieces) + DATA
    assert tables.feed(stream) == stream and tables.programs == {1: many}
    # From its middle on it is none.
    middle = TransportTables()
    middle.feed(PAT + pieces[1] + DATA)
    assert middle.programs == {}
    # It may come after the end of another, and with an adaptation field.
    payload = bytes([3]) + b"end" + pmt_section(1, VIDEO, described=b"\x05\x04HDMV")
    field = bytes([183 - len(payload)]) + bytes(183 - len(payload))
    packet = bytes([0x47, 0x40, 32, 0x30]) + field + payload
    tables = TransportTables()
    tables.feed(PAT + packet + DATA)
    assert len(packet) == PACKET_BYTES and tables.programs == {1: (VIDEO,)}


def test_a_damaged_table_changes_nothing() -> None:
    for bit in range(8 * 10, 8 * 30, 7):
        damaged = bytearray(PMT)
        damaged[5 + bit // 8] ^= 1 << bit % 8
        tables = TransportTables()
        tables.feed(PAT + PMT + bytes(damaged) + DATA)
        assert tables.programs == {1: (VIDEO, SOUND)} and not tables.has_changed, bit
    # The check value of CRC-32/MPEG-2.
    assert crc_of(b"123456789") == 0x0376E6E7


@pytest.mark.parametrize("payload", [b"", b"\xff" * 184, b"\x00" + section(2, 1, b""), LONG, b"\x00\x02\xb0\x01"])
@pytest.mark.parametrize("pid", [0, 32])
def test_damaged_tables_say_nothing(payload: bytes, pid: int) -> None:
    tables, damaged = TransportTables(), packets(pid, payload)
    assert tables.feed(PAT + damaged * 9 + DATA) == PAT + damaged * 9 + DATA and tables.programs == {}
