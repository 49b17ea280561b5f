"""The tailer reads each line of a rotated log once, in order."""

import os

import pytest

from gateway.usage import log_tailer
from gateway.usage.log_tailer import LogPosition, LogTailer
from tests.unit.gateway.log_lines import RotatedLog

written = pytest.fixture(lambda tmp_path: RotatedLog(tmp_path / "access.log"))


def read_all(log):
    found, more = [], True
    while more:
        lines, more = log.read()
        found += lines
    return found


def restarted(log, written):
    """Return a tailer of another process at the same position."""
    log.close()
    return LogTailer(written.path, log.position)


def replace(written, text, delete=False):
    """Write a new log a second later, which may have the inode of the old one."""
    later = written.path.stat().st_mtime_ns + 1_000_000_000
    if delete:
        written.path.unlink()
    written.path.write_bytes(text)
    os.utime(written.path, ns=(later, later))


def delete(written):
    replace(written, b"three\n", delete=True)


ROTATE = RotatedLog.rotate
ONE, TWO, THREE, FOUR, FIVE = (f"{word}\n".encode() for word in ("one", "two", "three", "four", "five"))
# Text is written, functions are applied to the log, a list is what is read, a number is how many files were lost.
STORIES = {
    "new lines are read": ([], b"one\ntwo\n", [ONE, TWO], THREE, [THREE], []),
    "an incomplete line waits for its end": (b"one\ntw", [ONE], [], b"o\n", [TWO]),
    "a new tailer reads all files": (ONE, ROTATE, TWO, [ONE, TWO]),
    "the old file is read before the new one": (ONE, [ONE], TWO, ROTATE, THREE, [TWO, THREE]),
    "several rotations between reads": (ONE, [ONE], ROTATE, TWO, ROTATE, THREE, [TWO, THREE], 0),
    "a line torn by a rotation is joined": (b"one\ntw", ROTATE, [ONE], b"o\nthree\n", [TWO, THREE]),
    "a line torn by two rotations is joined": (
        *(b"one\nt", ROTATE, [ONE], b"w", ROTATE, [], b"o", ROTATE, []),
        *(b"\nthree\n", [TWO, THREE]),
    ),
    "files rotated away unread are reported": (
        *(ONE, [ONE], ROTATE, TWO, ROTATE, THREE, ROTATE, FOUR, ROTATE, FIVE),
        *([THREE, FOUR, FIVE], 1),
    ),
    "older files are not read again after the log is deleted": (ONE, ROTATE, TWO, [ONE, TWO], delete, [THREE]),
}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_each_line_is_read_once_in_order(written, restart, steps):
    log = LogTailer(written.path, LogPosition())
    for step in steps:
        if isinstance(step, bytes):
            written.write(step)
        elif isinstance(step, int):
            assert log.losses == step
        elif callable(step):
            step(written)
        else:
            log = restarted(log, written) if restart else log
            assert read_all(log) == [line.removesuffix(b"\n") for line in step]


def test_a_log_may_be_created_later_and_be_longer_than_one_read(tmp_path, monkeypatch):
    log = LogTailer(tmp_path / "access.log", LogPosition())
    assert read_all(log) == []
    monkeypatch.setattr(log_tailer, "READ_BYTES", 50)
    lines = [f"line {number}".encode() for number in range(100)]
    RotatedLog(tmp_path / "access.log").write(*(each + b"\n" for each in lines))
    assert read_all(log) == lines


def test_a_new_file_with_a_reused_inode_is_read_from_its_start(written):
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    assert read_all(log) == [b"one"]
    replace(written, b"two\nthree\n")
    assert read_all(restarted(log, written)) == [b"two", b"three"]


def test_a_line_without_an_end_does_not_stop_the_tailer(written, monkeypatch):
    monkeypatch.setattr(log_tailer, "LINE_BYTES_MAX", 64)
    log = LogTailer(written.path, LogPosition())
    written.write(b"x" * 100)
    assert read_all(log) == [b"x" * 100]
    written.write(b"y\none\n")
    assert read_all(log) == [b"y", b"one"]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("moment", range(1, 6))
def test_a_rotation_during_the_lookup_hides_nothing(written, monkeypatch, moment, restart):
    written.backups = 8
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    assert read_all(log) == [b"one"]
    for text in (b"two\n", b"three\n"):
        written.rotate()
        written.write(text)
    opened, calls = os.open, 0

    def open_during_rotation(path, flags, *mode):
        nonlocal calls
        calls += flags == os.O_RDONLY
        if calls == moment and flags == os.O_RDONLY:
            written.rotate()
            written.write(b"four\n")
        return opened(path, flags, *mode)

    log = restarted(log, written) if restart else log
    with monkeypatch.context() as patch:
        patch.setattr(log_tailer.os, "open", open_during_rotation)
        found = read_all(log)
    assert (found + read_all(log), log.losses) == ([b"two", b"three", b"four"], 0)
