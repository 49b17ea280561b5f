"""A live source's reader, against a process that sends without end."""

import os
import select
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worker.ingest.feed import Feed
from worker.ingest.receivers import Receiver
from worker.source_info import SourceInfo
from worker.wire import VIDEO, PacketMessage, encode_packet

PACKET = encode_packet(PacketMessage(VIDEO, 0, 0, 40_000, b"x" * 50_000, is_keyframe=True))


def endless(path: Path) -> Receiver:
    path.write_bytes(PACKET)
    return Receiver(argv=("/bin/sh", "-c", f"while cat {path}; do :; done"))


def no_source(described: Mapping[str, Any]) -> SourceInfo:
    raise AssertionError(f"{described} was not sent")


def reader_of(before: set[threading.Thread]) -> threading.Thread:
    return next(each for each in threading.enumerate() if each.name == "feed" and each not in before)


def test_a_reader_that_was_held_up_reads_nothing_of_what_was_opened_after_its_source(
    tmp_path: Path,
) -> None:
    before = set(threading.enumerate())
    feed = Feed(endless(tmp_path / "packet"), {"PATH": os.environ["PATH"]}, no_source)
    reader = reader_of(before)
    read_end, write_end = os.pipe()
    feed.play(os.fdopen(write_end, "wb"))
    deadline_s = time.monotonic() + 10
    # Nobody reads, so it is held up as soon as the pipe is full.
    while not feed.flowing(float("inf"), 0) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    number = feed._child.stdout.fileno()
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
