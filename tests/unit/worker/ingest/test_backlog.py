from collections import deque
from collections.abc import Iterator
from itertools import zip_longest

import pytest

from worker.ingest import backlog
from worker.ingest.backlog import Backlog, changes
from worker.ingest.keyframe_intervals import KeyframeIntervals
from worker.media.messages import AUDIO, VIDEO, Kind, MessageReader, PacketMessage, encode_json, encode_packet


def tracks(video: str = "h264:1", audio: str | None = "aac:4c80") -> bytes:
    described = {"video": {"signature": video}, "audio": audio and {"signature": audio}}
    return encode_json(Kind.TRACKS, described)


def packet(at_s: float, *, stream: int = VIDEO, key: bool = False) -> bytes:
    at_us = round(at_s * 1_000_000)
    return encode_packet(PacketMessage(stream, at_us, at_us, 40_000, b"data", is_keyframe=key))


def add(it: Backlog, *messages: bytes) -> Backlog:
    for kind, body, whole in MessageReader().feed(b"".join(messages)):
        it.add(kind, body, whole)
    return it


def filled(*messages: bytes) -> Backlog:
    return add(Backlog(0), *messages)


def trimmed(*messages: bytes, ahead_us: int = 0) -> bytes:
    it = Backlog(ahead_us)
    for message in messages:
        add(it, message).trim()
    return it.begin() + it.take(one_format=False)[0]


TRACKS = tracks()
# A keyframe of sound is none to begin with.
SOUND = packet(1.1, stream=AUDIO, key=True)
GROUP = (packet(1, key=True), SOUND, packet(1.2))
NEXT = (packet(2, key=True), packet(2.1))
NOTE = encode_json(Kind.NOTE, {"note": "timestamp_jump"})


def test_it_begins_with_the_last_description_and_the_last_keyframe() -> None:
    assert trimmed(TRACKS, *GROUP) == TRACKS + b"".join(GROUP)
    assert trimmed(TRACKS, packet(0.5), SOUND, *GROUP) == TRACKS + b"".join(GROUP)
    assert trimmed(TRACKS, *GROUP, *NEXT) == TRACKS + b"".join(NEXT)
    assert trimmed(TRACKS, *GROUP, tracks("h264:2"), *NEXT) == tracks("h264:2") + b"".join(NEXT)
    # One that comes within the group stays where it is.
    later = (*GROUP, NOTE, tracks("h264:2"), packet(1.3))
    assert trimmed(TRACKS, *later) == TRACKS + b"".join(later)


def test_each_message_is_passed_on_once() -> None:
    it = filled(TRACKS, *GROUP)
    assert it.begin() == TRACKS and it.take(one_format=False) == (b"".join(GROUP), False)
    # The next run is given the description of the one before.
    assert it.begin() == TRACKS and it.take(one_format=False) == (b"", False)
    add(it, *NEXT)
    for given in (b"".join(NEXT), b""):
        assert it.take(one_format=True) == (given, False)
    # What is ahead of the clock is kept.
    assert trimmed(TRACKS, *GROUP, *NEXT, ahead_us=1_500_000) == TRACKS + b"".join((*GROUP, *NEXT))
    # As soon as the clock has come to the second keyframe, the group before it is not needed.
    assert trimmed(TRACKS, *GROUP, *NEXT, packet(3.5), ahead_us=1_500_000) == TRACKS + b"".join((*NEXT, packet(3.5)))


def test_a_run_that_replaces_one_begins_before_its_unfinished_segment() -> None:
    it = filled(TRACKS, *GROUP)
    it.begin()
    it.take(one_format=False)
    long = tuple(packet(at_s, key=at_s == 4) for at_s in range(3, 8))
    add(it, *NEXT, *long)
    it.take(one_format=False)
    add(it, packet(8.1))
    it.trim()
    # Of the keyframes at 1, 2 and 4 s the second is the last one that is old enough.
    assert it.begin(replay=True) == TRACKS
    assert it.take(one_format=False) == (b"".join((*NEXT, *long, packet(8.1))), False)
    # One that was ended on purpose has finished all that it was given.
    add(it, packet(8.2), packet(9, key=True))
    assert it.begin() == TRACKS and it.take(one_format=False) == (packet(9, key=True), False)


@pytest.mark.parametrize("segment_s", [2, 10])
def test_all_of_an_unfinished_segment_is_kept(segment_s: int) -> None:
    it = filled(TRACKS)
    it.segment_us = segment_s * 1_000_000
    it.begin()
    # A keyframe each second. The segment from 1 s on is never finished, and its run is replaced within 4 s.
    for at_s in range(segment_s + 5):
        add(it, packet(at_s, key=True)).take(one_format=False)
    it.begin(replay=True)
    assert it.take(one_format=False)[0].startswith(packet(0, key=True))
    add(it, packet(segment_s + 5, key=True)).take(one_format=False)
    it.begin(replay=True)
    assert it.take(one_format=False)[0].startswith(packet(1, key=True)), "no more than needed"


def test_what_is_new_is_found_at_once_among_much_that_is_kept() -> None:
    it = filled(TRACKS, packet(0, key=True))
    it.begin()
    for _ in range(100_000):
        it.add(Kind.NOTE, NOTE[5:], NOTE)
    it.take(one_format=False)
    it._messages = messages = CountedDeque(it._messages)
    for _ in range(10):
        assert add(it, SOUND).take(one_format=False) == (SOUND, False)
    assert messages.seen <= 20


class CountedDeque(deque[tuple[bool, bytes]]):
    seen = 0

    def _counted(self, each: Iterator[tuple[bool, bytes]]) -> Iterator[tuple[bool, bytes]]:
        for it in each:
            self.seen += 1
            yield it

    def __iter__(self) -> Iterator[tuple[bool, bytes]]:
        return self._counted(super().__iter__())

    def __reversed__(self) -> Iterator[tuple[bool, bytes]]:
        return self._counted(super().__reversed__())


def test_it_does_not_grow_by_what_was_passed_on_or_without_keyframes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "BYTES_MAX", 10 * len(SOUND))
    it = filled(TRACKS, *GROUP)
    it.begin()
    for _ in range(100):
        add(it, SOUND)
        assert it.take(one_format=False)[0].endswith(SOUND) and it._bytes <= backlog.BYTES_MAX
    assert it.begin(replay=True) == TRACKS
    it = filled(TRACKS)
    for _ in range(100):
        add(it, SOUND).trim()
        assert it._bytes <= backlog.BYTES_MAX
    assert it.begin() == TRACKS


@pytest.mark.parametrize("taken_before", [False, True])
def test_what_is_copied_ends_where_the_format_changes(taken_before: bool) -> None:
    other = tracks("h264:2")
    it = filled(TRACKS, *GROUP)
    before = it.begin()
    before += it.take(one_format=True)[0] if taken_before else b""
    add(it, other, *NEXT)
    after, has_changed = it.take(one_format=True)
    assert has_changed and before + after == TRACKS + b"".join(GROUP)
    it.trim()
    # The next run continues with the new format.
    assert it.begin() + it.take(one_format=True)[0] == other + b"".join(NEXT)
    # What is encoded continues over a change.
    it = filled(TRACKS, *GROUP)
    it.begin()
    add(it, tracks("hevc:2"), *NEXT)
    assert it.take(one_format=False) == (b"".join((*GROUP, tracks("hevc:2"), *NEXT)), False)


CHANGES = [
    *(("h264:1 aac:4c80", "h264:2 aac:4c80"), ("h264:1 aac:4c80", "h264:1 aac:5080"), ("h264:1", "h264:1 aac")),
    *(("h264:1 aac", "h264:1 opus:48000:stereo"), ("h264:1 aac:4c80", "h264:1")),
]
# Sound says late what it is.
SAME = [("h264:1 aac", "h264:1 aac:4c80"), ("h264:1 aac:4c80", "h264:1 aac"), *[(each,) * 2 for each in CHANGES[0]]]


@pytest.mark.parametrize(("before", "now"), [*CHANGES, *SAME, ("h264:1", "h264:1")])
def test_what_is_a_change(before: str, now: str) -> None:
    described = [dict(zip_longest(("video", "audio"), text.split())) for text in (before, now)]
    assert changes(*described) is ((before, now) in CHANGES)


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
    ("intervals_s", "longest_s"),
    # Also the time since the last keyframe counts, and no more than the four newest intervals do.
    [((2,), None), ((3, 2, 1), 3.0), ((9, 1, 2, 2, 2, 1), 2.0), ((1, 1, 6), 5.0)],
)
def test_the_longest_of_the_newest_intervals_is_known(intervals_s: tuple[float, ...], longest_s: float | None) -> None:
    keyframes = KeyframeIntervals()
    for body in bodies(*intervals_s):
        keyframes.add(body)
    assert keyframes.longest_s == longest_s


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
