"""Pieces of one track's packets are put in the order of time with those of the other track."""

from types import SimpleNamespace

import pytest

from worker.media.messages import AUDIO, VIDEO
from worker.receiving import interleaving
from worker.receiving.interleaving import HELD_US_MAX, Interleaver, PieceReader, ReadPacket, merge_in_order

STEP_US = 40_000


class Sent(list[int]):
    """Times in the order of sending; `read` is how many packets were read when each was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[int] = []
        self._count = 0
        self._interleaver = Interleaver(self._take)

    def piece(self, track: int, start: int, count: int) -> None:
        """Read a piece: its first packet follows on a header or another track."""
        for n in range(start, start + count):
            self.packet(track, n, continues=n > start)

    def packet(self, track: int, number: int, *, continues: bool) -> None:
        self._count += 1
        self._interleaver.add(ReadPacket(track, None, b"x", number * STEP_US, continues))

    def _take(self, read: ReadPacket) -> None:
        self.append(read.dts_us)
        self.read.append(self._count)


def test_what_is_not_stored_in_pieces_is_sent_at_once() -> None:
    sent = Sent()
    for n in range(20):
        sent.packet(VIDEO, n, continues=False)
        # Sound of a transport stream comes late.
        if n >= 10:
            sent.packet(AUDIO, n - 10, continues=False)
    assert sent.read == list(range(1, 31))
    # A fragment without sound is sent when the next one begins.
    sent = Sent()
    sent.piece(VIDEO, 0, 50)
    assert len(sent) == 1
    sent.packet(VIDEO, 50, continues=False)
    assert len(sent) == 51


def test_what_is_held_is_bounded_by_time_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent()
    sent.piece(VIDEO, 0, 1_000)
    held = 1_000 - len(sent)
    assert held * STEP_US <= HELD_US_MAX + STEP_US
    monkeypatch.setattr(interleaving, "HELD_BYTES_MAX", 10)
    sent.packet(VIDEO, 1_000, continues=True)
    assert len(sent) == 1_001 - 10


def test_a_piece_is_known_by_its_bytes() -> None:
    pieces = PieceReader()

    def reads(track: int, pos: int | None, size: int) -> bool:
        return pieces.continues(SimpleNamespace(stream_index=track, pos=pos, size=size))

    assert [reads(0, 100, 50), reads(0, 150, 30), reads(0, 180, 10)] == [False, True, True]
    assert [reads(1, 190, 5), reads(1, 195, 5), reads(1, None, 5)] == [False, True, False]
    assert not reads(0, 200, 10), "sound lies between"
    # A transport stream: a header in every 188 bytes.
    assert [reads(2, 564, 170), reads(2, 752, 170)] == [False, False]


def read(name: str, at_s: float) -> ReadPacket:
    return ReadPacket(name, None, b"data", round(at_s * 1_000_000), continues=False)


@pytest.mark.parametrize(
    ("picture_s", "order"),
    [(1.0, "a P b c"), (2.0, "a P b c"), (2.5, "a b P c"), (99.0, "a b c P"), (-6.9, "P a b c"), (-7.1, "a b c P")],
)
def test_the_first_picture_comes_before_the_sound_that_follows_it(picture_s: float, order: str) -> None:
    waiting = [read("a", 0.0), read("b", 2.0), read("c", 3.0)]
    first = [read("P", picture_s)]
    assert " ".join(each.track for each in merge_in_order(waiting, first)) == order
    assert merge_in_order([], first) == first
