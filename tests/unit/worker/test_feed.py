"""A live source's reader, against a process that sends without end."""

import os
import select
import threading
import time

from worker.encoding.argv import LiveSource
from worker.ingest.feed import Feed
from worker.ingest.receivers import Receiver

ENDLESS = Receiver(argv=("/bin/cat", "/dev/zero"))


def no_source(head: bytes) -> LiveSource:
    raise AssertionError(f"{len(head)} bytes are nothing to play")


def reader_of(before: set[threading.Thread]) -> threading.Thread:
    return next(each for each in threading.enumerate() if each.name == "feed" and each not in before)


def test_a_reader_that_was_held_up_reads_nothing_of_what_was_opened_after_its_source() -> None:
    before = set(threading.enumerate())
    feed = Feed(ENDLESS, {"PATH": os.environ["PATH"]}, no_source)
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
