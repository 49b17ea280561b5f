"""What is kept of a source for the run that will play it."""

from worker.ingest import backlog
from worker.ingest.backlog import Backlog
from worker.wire import AUDIO, VIDEO, Kind, MessageReader, PacketMessage, encode_json, encode_packet


def packet(stream: int, at_s: float, *, key: bool = False) -> bytes:
    at_us = round(at_s * 1_000_000)
    return encode_packet(PacketMessage(stream, at_us, at_us, 40_000, b"x" * 100, is_keyframe=key))


def tracks(video: str = "h264:a", audio: str | None = "aac:4c80") -> bytes:
    described = {"video": {"signature": video}, "audio": audio and {"signature": audio}}
    return encode_json(Kind.TRACKS, described)


def group(at_s: float) -> bytes:
    return packet(VIDEO, at_s, key=True) + packet(AUDIO, at_s, key=True) + packet(VIDEO, at_s + 0.5)


def add(it: Backlog, data: bytes) -> None:
    for message in MessageReader().feed(data):
        it.add(*message)


def kept(*pieces: bytes, ahead_us: int = 0) -> bytes:
    it = Backlog(ahead_us)
    for piece in pieces:
        add(it, piece)
        it.trim()
    return it.begin() + it.take(one_format=False)[0]


def test_it_begins_with_the_description_and_the_last_keyframe() -> None:
    assert kept(tracks(), group(0)) == tracks() + group(0)
    assert kept(tracks(), group(0), group(1), packet(VIDEO, 2, key=True)) == tracks() + packet(VIDEO, 2, key=True)
    assert kept(tracks(), group(0), packet(AUDIO, 1)) == tracks() + group(0) + packet(AUDIO, 1)


def test_what_came_ahead_of_the_clock_is_kept() -> None:
    assert kept(tracks(), group(0), group(1), ahead_us=2_000_000) == tracks() + group(0) + group(1)
    assert kept(tracks(), group(0), group(1), group(2), ahead_us=1_000_000) == tracks() + group(1) + group(2)


def test_what_is_taken_is_taken_once() -> None:
    it = Backlog()
    add(it, tracks() + group(0))
    assert it.take(one_format=False) == (tracks() + group(0), False)
    assert it.take(one_format=False) == (b"", False) and len(it) == 0


def test_a_run_of_one_format_ends_before_another_one() -> None:
    for later in (tracks("h264:b"), tracks("hevc:a"), tracks(audio="aac:5040"), tracks(audio=None)):
        it = Backlog()
        add(it, tracks() + group(0) + later + group(1))
        assert it.take(one_format=True) == (tracks() + group(0), True)
        assert it.begin() == b""
        assert it.take(one_format=True) == (later + group(1), False)


def test_a_format_that_changes_behind_a_description_from_before_is_noticed() -> None:
    it = Backlog()
    add(it, tracks() + group(0) + group(1))
    it.trim()
    assert it.begin() == tracks()
    add(it, tracks("h264:b"))
    assert it.take(one_format=True) == (group(1), True)


def test_the_same_format_goes_on() -> None:
    it = Backlog()
    # Sound says late what it is.
    whole = tracks(audio="aac") + group(0) + tracks() + group(1) + tracks(audio="aac") + group(2)
    add(it, whole)
    assert it.take(one_format=True) == (whole, False)
    add(it, tracks("h264:b") + group(3))
    assert it.take(one_format=False) == (tracks("h264:b") + group(3), False)


def test_it_does_not_grow_without_keyframes(monkeypatch) -> None:
    monkeypatch.setattr(backlog, "BYTES_MAX", 1_000)
    it = Backlog()
    for n in range(100):
        add(it, packet(VIDEO, n))
        it.trim()
        assert len(it) <= 1_000
