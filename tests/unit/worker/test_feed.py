"""A source's reader, against processes that send without end, or what a test says."""

import json
import os
import select
import shlex
import threading
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import pytest

from worker.ingest.feed import Feed
from worker.ingest.receivers import Receiver
from worker.source_info import SourceInfo, SourceRefused
from worker.wire import VIDEO, Kind, PacketMessage, encode_json, encode_packet

ENVIRON = {"PATH": os.environ["PATH"]}
TRACKS = {"video": {"signature": "h264:1"}, "audio": None}
KEYFRAME = PacketMessage(VIDEO, 0, 0, 40_000, b"x" * 60_000, is_keyframe=True)
INFO = SourceInfo(rate=Fraction(25))


def eventually(condition: Callable[[], object]) -> bool:
    deadline_s = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return bool(condition())


def no_source(described: Mapping[str, Any]) -> SourceInfo:
    raise AssertionError(f"{described} is nothing to play")


class Sender:
    """A receiver process that passes on what the test writes."""

    def __init__(self, directory: Path, examine: Callable[[Mapping[str, Any]], SourceInfo]) -> None:
        fifo = directory / "source"
        os.mkfifo(fifo)
        self.feed = Feed(Receiver(argv=("/bin/cat", str(fifo))), ENVIRON, examine)
        self._pipe = fifo.open("wb")

    def send(self, *messages: bytes) -> None:
        self._pipe.write(b"".join(messages))
        self._pipe.flush()

    def close(self) -> None:
        self._pipe.close()
        self.feed.close()


def described(**more: Any) -> bytes:
    return encode_json(Kind.TRACKS, TRACKS | more)


def reader_of(before: set[threading.Thread]) -> threading.Thread:
    return next(each for each in threading.enumerate() if each.name == "feed" and each not in before)


def test_a_reader_that_was_held_up_reads_nothing_of_what_was_opened_after_its_source(tmp_path: Path) -> None:
    stream = tmp_path / "stream"
    stream.write_bytes(described() + encode_packet(KEYFRAME) * 10)
    script = f"while :; do cat {shlex.quote(str(stream))}; done"
    before = set(threading.enumerate())
    feed = Feed(Receiver(argv=("/bin/sh", "-c", script)), ENVIRON, lambda _: INFO)
    reader = reader_of(before)
    read_end, write_end = os.pipe()
    feed.play(os.fdopen(write_end, "wb"))
    # Nobody reads, so it is held up as soon as the pipe is full.
    assert eventually(lambda: feed.flowing(float("inf"), 0))
    number = feed._child.stdout.fileno()
    feed.close()
    others_read_end, others_write_end = os.pipe()
    os.dup2(others_read_end, number)
    os.write(others_write_end, b"another's")
    os.close(read_end)
    reader.join(2)
    has_ended = not reader.is_alive()
    is_left = bool(select.select([others_read_end], [], [], 0)[0])
    for descriptor in {others_write_end, others_read_end, number}:
        os.close(descriptor)
    assert has_ended and is_left


def played(feed: Feed, *, one_format: bool = False) -> IO[bytes]:
    """Return what a run that begins now reads from."""
    read_end, write_end = os.pipe()
    feed.play(os.fdopen(write_end, "wb"), one_format=one_format)
    return os.fdopen(read_end, "rb")


def packet(*, is_keyframe: bool = True) -> bytes:
    return encode_packet(PacketMessage(VIDEO, 0, 0, 40_000, b"x", is_keyframe=is_keyframe))


def test_a_run_gets_the_messages_as_they_are_and_its_pipe_is_closed_at_the_end(tmp_path: Path) -> None:
    sender = Sender(tmp_path, lambda _: INFO)
    sender.send(described(), packet())
    assert eventually(lambda: sender.feed.began_at_s)
    expected = described() + packet() + packet(is_keyframe=False)
    with played(sender.feed) as pipe:
        sender.send(packet(is_keyframe=False))
        assert pipe.read(len(expected)) == expected
        sender.close()
        assert pipe.read() == b""


def test_a_run_of_one_format_has_its_pipe_closed_where_the_format_changes(tmp_path: Path) -> None:
    sender = Sender(tmp_path, lambda _: INFO)
    sender.send(described(), packet())
    first = described() + packet()
    other = described(video={"signature": "h264:2"}) + packet()
    with played(sender.feed, one_format=True) as pipe:
        assert pipe.read(len(first)) == first
        sender.send(other)
        assert pipe.read() == b""
    assert sender.feed.format_has_changed
    with played(sender.feed, one_format=True) as pipe:
        assert not sender.feed.format_has_changed
        assert pipe.read(len(other)) == other
        sender.close()


def test_what_it_was_found_to_be_counts_while_it_is_examined_again(tmp_path: Path) -> None:
    found, release = [INFO, SourceInfo(rate=Fraction(30))], threading.Event()
    examined: list[Mapping[str, Any]] = []

    def examine(tracks: Mapping[str, Any]) -> SourceInfo:
        examined.append(tracks)
        if len(examined) > 1:
            release.wait(10)
        return found[len(examined) - 1]

    sender = Sender(tmp_path, examine)
    try:
        # The same once more, as at the turn of a looped file, is nothing to look at.
        sender.send(described(), described())
        assert eventually(lambda: sender.feed.source is INFO)
        sender.send(described(audio={"signature": "aac"}))
        assert eventually(lambda: len(examined) == 2)
        assert sender.feed.source is INFO
        release.set()
        assert eventually(lambda: sender.feed.source is found[1])
        assert examined == [TRACKS, TRACKS | {"audio": {"signature": "aac"}}]
    finally:
        release.set()
        sender.close()


def test_a_source_that_cannot_be_played_says_why(tmp_path: Path) -> None:
    def refuse(_: Mapping[str, Any]) -> SourceInfo:
        raise SourceRefused("it is too large")

    sender = Sender(tmp_path, refuse)
    try:
        sender.send(described())
        assert eventually(lambda: sender.feed.refusal == "it is too large")
        assert sender.feed.source is None and sender.feed.began_at_s is None
    finally:
        sender.close()


def test_a_receiver_that_writes_anything_else_is_ended() -> None:
    feed = Feed(Receiver(argv=("/bin/cat", "/dev/zero")), ENVIRON, no_source)
    assert eventually(lambda: not feed.running)
    feed.close()


@pytest.mark.parametrize(
    ("has_other_urls", "url"), [(True, "https://h.test/a.m3u8"), (False, "http://h.test:443/a.m3u8")]
)
def test_the_request_goes_by_the_standard_input_and_its_end_is_explained(has_other_urls: bool, url: str) -> None:
    receiver = Receiver(
        argv=("/bin/sh", "-c", "cat >&2; exit 4"),
        script=b"[error] http://h.test:443/a.m3u8 has no-secret",
        secrets=("no-secret",),
        has_other_urls=has_other_urls,
    )
    feed = Feed(receiver, ENVIRON, no_source)
    assert eventually(lambda: not feed.running)
    assert (feed.exit_status, feed.ending()) == (4, f"{url} has ***")
    assert json.loads(json.dumps(list(feed.lines))) == [f"[error] {url} has ***"]
    feed.close()
