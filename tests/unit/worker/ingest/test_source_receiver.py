import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

import pytest

from tests.unit.worker.parts import eventually
from worker.encoding.source_info import PATTERN, SLATE_SOURCE, SourceInfo, SourceRefused
from worker.ingest.receiver_commands import ReceiverCommand
from worker.ingest.source_receiver import SourceReceiver
from worker.media.messages import VIDEO, Kind, PacketMessage, encode_json, encode_packet
from worker.processes.module_process import ROOT

ENVIRON = {"PATH": os.environ["PATH"]}


def tracks(video: str) -> bytes:
    return encode_json(Kind.TRACKS, {"video": {"signature": video}, "audio": None})


def packet(at_us: int, *, key: bool = False) -> bytes:
    return encode_packet(PacketMessage(VIDEO, at_us, at_us, 40_000, b"data", is_keyframe=key))


FIRST = tracks("h264:1") + packet(0, key=True) + packet(40_000)
SECOND = tracks("h264:2") + packet(120_000, key=True)
SAY_ENDLESSLY = f"""
import sys
sys.path[0] = {str(ROOT)!r}
from worker.media.messages import PacketMessage, encode_packet
while True:
    sys.stdout.buffer.write(encode_packet(PacketMessage(0, 0, 0, 0, bytes(100_000), is_keyframe=True)))
"""


def some_source(described: Mapping[str, Any]) -> SourceInfo:
    return PATTERN


class Sender:
    """A source whose receiver writes the given messages."""

    def __init__(self, directory: Path, examine: Callable[[Mapping[str, Any]], SourceInfo] = some_source) -> None:
        path = directory / "messages"
        os.mkfifo(path)
        self.feed = SourceReceiver(ReceiverCommand(argv=("/bin/cat", str(path))), ENVIRON, examine)
        pipe = path.open("wb", buffering=0)
        self.send, self.end = pipe.write, pipe.close

    def play(self, **how: bool) -> IO[bytes]:
        """Return what a run would read from."""
        read_end, write_end = os.pipe()
        self.feed.play(os.fdopen(write_end, "wb"), **how)
        return os.fdopen(read_end, "rb")

    def close(self) -> None:
        with suppress(OSError):
            self.end()
        self.feed.close()


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    with closing(Sender(tmp_path)) as made:
        yield made


def gives(played: IO[bytes], expected: bytes) -> bool:
    return played.read(len(expected)) == expected


def test_a_run_that_copies_ends_where_the_format_changes(sender: Sender) -> None:
    sender.send(FIRST)
    with sender.play(one_format=True) as copied:
        assert gives(copied, FIRST) and not sender.feed.format_has_changed
        sender.send(packet(80_000) + SECOND)
        assert copied.read() == packet(80_000)
    assert eventually(lambda: sender.feed.format_has_changed)
    with sender.play(one_format=True) as following:
        assert not sender.feed.format_has_changed and gives(following, SECOND)


def test_it_has_begun_and_flows_with_its_packets(sender: Sender) -> None:
    assert not sender.feed.is_flowing(time.monotonic(), 10)
    sender.send(tracks("h264:1"))
    assert eventually(lambda: sender.feed.source)
    assert sender.feed.source is PATTERN and sender.feed.refusal == ""
    assert sender.feed.began_at_s is None and not sender.feed.is_flowing(time.monotonic(), 10)
    sender.send(packet(0, key=True))
    assert eventually(lambda: sender.feed.is_flowing(time.monotonic(), 10))
    assert sender.feed.began_at_s and not sender.feed.is_flowing(time.monotonic() + 10, 10)


def test_sound_without_a_picture_and_a_packet_held_back_are_known_and_not_handed_on(sender: Sender) -> None:
    with sender.play() as played:
        sender.send(encode_json(Kind.SOUND_ALONE, {}))
        assert eventually(lambda: sender.feed.has_sound_alone)
        assert sender.feed.began_at_s is None and sender.feed.source is None
        sender.send(encode_json(Kind.HELD, {}))
        assert eventually(lambda: sender.feed.is_flowing(time.monotonic(), 10))
        assert sender.feed.began_at_s is None
        sender.send(FIRST)
        assert gives(played, FIRST)


def test_no_run_waits_for_a_source_that_has_ended_or_is_played_by_another(sender: Sender) -> None:
    kept = [os.pipe() for _ in range(3)]
    sinks = [os.fdopen(write_end, "wb") for _, write_end in kept]
    # The first is replaced before the reader can take it up, the last comes after the end.
    for sink in sinks[:2]:
        sender.feed.play(sink)
    sender.end()
    assert eventually(lambda: all(sink.closed for sink in sinks[:2]))
    sender.feed.play(sinks[2])
    assert [sink.closed for sink in sinks] == [True, True, True]
    assert eventually(lambda: not sender.feed.is_running)
    assert (sender.feed.ending(), sender.feed.exit_status) == ("the source ended", 0)
    for read_end, _ in kept:
        os.close(read_end)


def test_what_it_was_found_to_be_counts_while_it_is_examined_again(tmp_path: Path) -> None:
    """Each loop of a file describes its tracks again, and measuring a file takes time."""
    examined: list[str] = []
    release = threading.Event()

    def examine(described: Mapping[str, Any]) -> SourceInfo:
        examined.append(described["video"]["signature"])
        if len(examined) > 1:
            release.wait(10)
        if len(examined) > 2:
            raise SourceRefused(f"{examined[-1]} is nothing to play")
        return PATTERN if len(examined) == 1 else SLATE_SOURCE

    with closing(Sender(tmp_path, examine)) as sender:
        sender.send(tracks("h264:1") + tracks("h264:1"))
        assert eventually(lambda: sender.feed.source is PATTERN)
        sender.send(tracks("h264:2"))
        assert eventually(lambda: len(examined) == 2)
        assert sender.feed.source is PATTERN
        release.set()
        assert eventually(lambda: sender.feed.source is SLATE_SOURCE)
        sender.send(encode_json(Kind.TRACKS, {"video": {"signature": "h264:2", "palette": "AA=="}, "audio": None}))
        sender.send(packet(0, key=True))
        assert eventually(lambda: sender.feed.began_at_s)
        assert examined == ["h264:1", "h264:2"], "the same description is examined once, in any colours"
        assert sender.feed.refusal == ""
        # What cannot be played is refused.
        sender.send(tracks("h264:3"))
        assert eventually(lambda: sender.feed.refusal == "h264:3 is nothing to play")


def test_damaged_messages_end_it_and_a_receiver_says_why_it_failed(sender: Sender) -> None:
    with sender.play() as played:
        sender.send(bytes([99]) * 100)
        assert played.read() == b""
    assert eventually(lambda: not sender.feed.is_running)
    assert "killed" in sender.feed.ending()
    fails = 'read said; echo "[error] cannot open $said" >&2; exit 4'
    receiver = ReceiverCommand(argv=("/bin/sh", "-c", fails), script=b"a-secret/x\n", secrets=("a-secret",))
    feed = SourceReceiver(receiver, ENVIRON, some_source)
    assert eventually(lambda: not feed.is_running)
    assert feed.exit_status == 4
    assert feed.ending().startswith("cannot open") and "a-secret" not in feed.ending()
    feed.close()


def test_a_reader_that_was_held_up_reads_nothing_of_what_was_opened_after_its_source() -> None:
    before = set(threading.enumerate())
    feed = SourceReceiver(ReceiverCommand(argv=(sys.executable, "-B", "-c", SAY_ENDLESSLY)), ENVIRON, some_source)
    reader = next(each for each in threading.enumerate() if each.name == "feed" and each not in before)
    read_end, write_end = os.pipe()
    feed.play(os.fdopen(write_end, "wb"))
    # The pipe has no reader, so it blocks as soon as the pipe is full.
    assert eventually(lambda: feed.is_flowing(float("inf"), 0))
    number = feed.stdout.fileno()
    feed.close()
    others_read_end, others_write_end = os.pipe()
    os.dup2(others_read_end, number)
    os.write(others_write_end, b"another's")
    os.close(read_end)
    reader.join(2)
    ended = not reader.is_alive()
    left = bool(select.select([others_read_end], [], [], 0)[0])
    for descriptor in {others_write_end, others_read_end, number}:
        os.close(descriptor)
    assert ended and left
