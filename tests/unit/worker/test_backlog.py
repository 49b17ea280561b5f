"""What is kept of a live source for the ffmpeg that will play it."""

from worker.ingest import backlog
from worker.ingest.backlog import PACKET_BYTES, VIDEO_PID, Backlog

SOUND_PID = VIDEO_PID + 1


def packet(pid: int, *, begins: bool = True, key: bool = False, mark: int = 0) -> bytes:
    """With an adaptation field of one byte of flags, filled up with `mark`."""
    head = bytes([0x47, (0x40 if begins else 0) | pid >> 8, pid & 0xFF, 0x30, 1, 0x40 if key else 0])
    return head + bytes([mark]) * (PACKET_BYTES - len(head))


TABLES = packet(0, mark=1) + packet(0x1000, mark=2)
KEYFRAME, REST, PICTURE = packet(VIDEO_PID, key=True), packet(VIDEO_PID, begins=False, mark=3), packet(VIDEO_PID)
SOUND = packet(SOUND_PID, key=True)
GROUP = TABLES + KEYFRAME + REST + SOUND + TABLES + PICTURE


def kept(*pieces: bytes) -> bytes:
    it = Backlog()
    for piece in pieces:
        it.add(piece)
        it.trim()
    return it.take()


def test_it_begins_with_the_tables_before_the_last_keyframe() -> None:
    assert kept(GROUP) == GROUP
    assert kept(GROUP, GROUP, TABLES + KEYFRAME) == TABLES + KEYFRAME
    assert kept(TABLES + PICTURE + SOUND, GROUP) == GROUP
    assert kept(GROUP, SOUND + TABLES + PICTURE) == GROUP + SOUND + TABLES + PICTURE


def test_pieces_may_end_anywhere() -> None:
    stream = GROUP + GROUP + TABLES
    for size in (1, 100, PACKET_BYTES - 1, PACKET_BYTES + 1, 1_000):
        assert kept(*(stream[at : at + size] for at in range(0, len(stream), size))) == GROUP + TABLES, size


def test_what_is_taken_is_whole_packets_each_once() -> None:
    it = Backlog()
    it.add(GROUP + GROUP[:100])
    assert it.take() == GROUP and len(it) == 100
    it.add(GROUP[100:])
    assert it.take() == GROUP and it.take() == b""


def test_nothing_is_cut_while_it_is_played() -> None:
    it = Backlog()
    it.add(SOUND + GROUP)
    assert it.take() == SOUND + GROUP


def test_it_does_not_grow_without_keyframes(monkeypatch) -> None:
    monkeypatch.setattr(backlog, "BYTES_MAX", 10 * PACKET_BYTES)
    it = Backlog()
    for _ in range(100):
        it.add(TABLES + PICTURE)
        it.trim()
        assert len(it) <= 13 * PACKET_BYTES
