"""The part of a source that is kept for the run that will play it."""

import pytest

from worker.ingest import backlog
from worker.ingest.backlog import Backlog, changes, formats_of
from worker.wire import AUDIO, VIDEO, Kind, MessageReader, PacketMessage, encode_json, encode_packet


def packet(stream: int, at: int, *, is_keyframe: bool = False) -> bytes:
    return encode_packet(PacketMessage(stream, at, at, 1, b"x" * 100, is_keyframe=is_keyframe))


def tracks(video: str = "h264:1", audio: str | None = "aac:4c80") -> bytes:
    sound = {"signature": audio} if audio else None
    return encode_json(Kind.TRACKS, {"video": {"signature": video}, "audio": sound})


TRACKS, OTHER_TRACKS = tracks(), tracks("h264:2")
# Sound is made of key frames only.
KEYFRAME, PICTURE, SOUND = packet(VIDEO, 1, is_keyframe=True), packet(VIDEO, 2), packet(AUDIO, 3, is_keyframe=True)
NOTE = encode_json(Kind.NOTE, {"note": "timestamp_jump"})
GROUP = KEYFRAME + SOUND + PICTURE


def kept(*pieces: bytes, is_trimmed: bool = True) -> Backlog:
    it, reader = Backlog(), MessageReader()
    for piece in pieces:
        for message in reader.feed(piece):
            it.add(*message)
            if is_trimmed:
                it.trim()
    return it


def given(it: Backlog, *, one_format: bool = False) -> tuple[bytes, bool]:
    """Return what a new run reads at first, and whether its format changes behind it."""
    begin = it.begin()
    taken, has_changed = it.take(one_format=one_format)
    return begin + taken, has_changed


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ((TRACKS, GROUP), TRACKS + GROUP),
        ((TRACKS, GROUP, GROUP, KEYFRAME), TRACKS + KEYFRAME),
        ((TRACKS, PICTURE, SOUND, GROUP), TRACKS + GROUP),
        ((TRACKS, GROUP, NOTE, SOUND, PICTURE), TRACKS + GROUP + NOTE + SOUND + PICTURE),
        # What describes the tracks comes before the packet that it is for.
        ((TRACKS, GROUP, OTHER_TRACKS, GROUP), OTHER_TRACKS + GROUP),
        ((TRACKS, GROUP, OTHER_TRACKS, PICTURE), TRACKS + GROUP + OTHER_TRACKS + PICTURE),
    ],
)
def test_a_run_begins_with_the_tracks_and_the_last_keyframe(came: tuple[bytes, ...], expected: bytes) -> None:
    assert given(kept(*came)) == (expected, False)


def test_the_tracks_in_force_are_repeated_for_the_next_run() -> None:
    it = kept(TRACKS, GROUP)
    assert given(it) == (TRACKS + GROUP, False)
    assert given(it) == (TRACKS, False)


def test_each_message_is_taken_once() -> None:
    it = kept(TRACKS, GROUP, is_trimmed=False)
    assert it.take(one_format=False)[0] == TRACKS + GROUP and len(it) == 0
    assert it.take(one_format=False) == (b"", False)


def test_nothing_is_dropped_while_a_run_plays() -> None:
    it = kept(TRACKS, SOUND, GROUP, GROUP, is_trimmed=False)
    assert len(it) == len(TRACKS + SOUND + GROUP + GROUP)
    assert it.take(one_format=False)[0] == TRACKS + SOUND + GROUP + GROUP


def test_it_does_not_grow_without_keyframes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "BYTES_MAX", 10 * len(PICTURE))
    it = kept(TRACKS, *([PICTURE] * 100))
    assert len(it) <= 10 * len(PICTURE)
    assert it.begin() == TRACKS


def test_a_run_of_one_format_ends_before_the_change_and_the_next_one_has_the_rest() -> None:
    it = kept(TRACKS, GROUP, OTHER_TRACKS, KEYFRAME, is_trimmed=False)
    assert given(it, one_format=True) == (TRACKS + GROUP, True)
    assert given(it, one_format=True) == (OTHER_TRACKS + KEYFRAME, False)
    it = kept(TRACKS, GROUP, OTHER_TRACKS, KEYFRAME, is_trimmed=False)
    assert given(it) == (TRACKS + GROUP + OTHER_TRACKS + KEYFRAME, False)


def test_tracks_that_are_described_again_end_no_run() -> None:
    it = kept(TRACKS, GROUP, TRACKS, GROUP, is_trimmed=False)
    assert given(it, one_format=True) == (TRACKS + GROUP + TRACKS + GROUP, False)


def test_a_change_is_seen_in_what_comes_later_too() -> None:
    it = kept(TRACKS, GROUP)
    assert given(it, one_format=True) == (TRACKS + GROUP, False)
    for message in MessageReader().feed(OTHER_TRACKS):
        it.add(*message)
    assert it.take(one_format=True) == (b"", True)


@pytest.mark.parametrize(
    ("before", "now", "is_change"),
    [
        (("h264:1", "aac"), ("h264:1", "aac:4c80"), False),
        (("h264:1", "aac:4c80"), ("h264:1", "aac"), False),
        (("h264:1", "aac:4c80"), ("h264:1", "aac:5080"), True),
        (("h264:1", "aac"), ("h264:1", "mp3:48000:stereo"), True),
        (("h264:1", "aac"), ("h264:2", "aac"), True),
        (("h264:1", "aac"), ("hevc:1", "aac"), True),
        (("h264:1", None), ("h264:1", None), False),
        (("h264:1", None), ("h264:1", "aac"), True),
        (("h264:1", "aac"), ("h264:1", None), True),
    ],
)
def test_what_ends_a_run_that_copies(
    before: tuple[str, str | None], now: tuple[str, str | None], is_change: bool
) -> None:
    old, new = (formats_of(tracks(*each)) for each in (before, now))
    assert old == {"video": before[0], "audio": before[1]}
    assert changes(old, new) is is_change
