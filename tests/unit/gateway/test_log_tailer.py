"""The tailer reads each line of a rotated log once, in order."""

import os
from pathlib import Path

import pytest

from gateway.usage import log_tailer
from gateway.usage.log_tailer import LogPosition, LogTailer
from tests.unit.gateway.log_lines import RotatedLog


@pytest.fixture
def written(tmp_path: Path) -> RotatedLog:
    return RotatedLog(tmp_path / "access.log")


def read_all(log: LogTailer) -> list[bytes]:
    """Read to the end of the log."""
    found: list[bytes] = []
    more = True
    while more:
        lines, more = log.read()
        found += lines
    return found


def restart_tailer(log: LogTailer) -> LogTailer:
    """Return a tailer of another process at the same position."""
    log.close()
    return LogTailer(log._path, log.position)


def test_new_lines_are_read(written: RotatedLog) -> None:
    log = LogTailer(written.path, LogPosition())
    assert read_all(log) == []
    written.write(b"one\ntwo\n")
    assert read_all(log) == [b"one", b"two"]
    written.write(b"three\n")
    assert read_all(log) == [b"three"]
    assert read_all(log) == []


def test_the_log_may_be_created_later(tmp_path: Path) -> None:
    log = LogTailer(tmp_path / "access.log", LogPosition())
    assert read_all(log) == []
    RotatedLog(tmp_path / "access.log").write(b"one\n")
    assert read_all(log) == [b"one"]


def test_an_incomplete_line_waits_for_its_end(written: RotatedLog) -> None:
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\ntw")
    assert read_all(log) == [b"one"]
    log = restart_tailer(log)
    assert read_all(log) == []
    written.write(b"o\n")
    assert read_all(log) == [b"two"]


@pytest.mark.parametrize("restart", [False, True])
def test_the_old_file_is_read_before_the_new_one(written: RotatedLog, restart: bool) -> None:
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    assert read_all(log) == [b"one"]
    written.write(b"two\n")
    written.rotate()
    written.write(b"three\n")
    log = restart_tailer(log) if restart else log
    assert read_all(log) == [b"two", b"three"]


@pytest.mark.parametrize("restart", [False, True])
def test_several_rotations_between_reads(written: RotatedLog, restart: bool) -> None:
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    assert read_all(log) == [b"one"]
    for text in (b"two\n", b"three\n"):
        written.rotate()
        written.write(text)
    log = restart_tailer(log) if restart else log
    assert read_all(log) == [b"two", b"three"]
    assert log.losses == 0


@pytest.mark.parametrize("restart", [False, True])
def test_a_line_torn_by_a_rotation_is_joined(written: RotatedLog, restart: bool) -> None:
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\ntw")
    written.rotate()
    assert read_all(log) == [b"one"]
    log = restart_tailer(log) if restart else log
    written.write(b"o\nthree\n")
    assert read_all(log) == [b"two", b"three"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_line_torn_by_two_rotations_is_joined(written: RotatedLog, restart: bool) -> None:
    log = LogTailer(written.path, LogPosition())
    for part in (b"one\nt", b"w", b"o"):
        written.write(part)
        written.rotate()
        assert read_all(log) in ([b"one"], [])
        log = restart_tailer(log) if restart else log
    written.write(b"\nthree\n")
    assert read_all(log) == [b"two", b"three"]


def test_a_new_tailer_reads_all_files(written: RotatedLog) -> None:
    written.write(b"one\n")
    written.rotate()
    written.write(b"two\n")
    assert read_all(LogTailer(written.path, LogPosition())) == [b"one", b"two"]


@pytest.mark.parametrize("restart", [False, True])
def test_files_rotated_away_unread_are_reported(written: RotatedLog, restart: bool) -> None:
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    assert read_all(log) == [b"one"]
    for text in (b"two\n", b"three\n", b"four\n", b"five\n"):
        written.rotate()
        written.write(text)
    log = restart_tailer(log) if restart else log
    assert read_all(log) == [b"three", b"four", b"five"]
    assert log.losses == 1


@pytest.mark.parametrize("restart", [False, True])
def test_older_files_are_not_read_again_after_the_log_is_deleted(written: RotatedLog, restart: bool) -> None:
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    written.rotate()
    written.write(b"two\n")
    assert read_all(log) == [b"one", b"two"]
    later = written.path.stat().st_mtime_ns + 1_000_000_000
    written.path.unlink()
    written.write(b"three\n")
    os.utime(written.path, ns=(later, later))
    log = restart_tailer(log) if restart else log
    assert read_all(log) == [b"three"]


def test_a_new_file_with_a_reused_inode_is_read_from_its_start(written: RotatedLog) -> None:
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    assert read_all(log) == [b"one"]
    log.close()
    later = written.path.stat().st_mtime_ns + 1_000_000_000
    # Overwritten in place, like a new file that reuses the inode.
    written.path.write_bytes(b"two\nthree\n")
    os.utime(written.path, ns=(later, later))
    assert read_all(LogTailer(written.path, log.position)) == [b"two", b"three"]


def test_a_line_without_an_end_does_not_stop_the_tailer(written: RotatedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tailer, "LINE_BYTES_MAX", 64)
    log = LogTailer(written.path, LogPosition())
    written.write(b"x" * 100)
    assert read_all(log) == [b"x" * 100]
    written.write(b"y\none\n")
    assert read_all(log) == [b"y", b"one"]


def test_a_log_longer_than_one_read(written: RotatedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tailer, "READ_BYTES", 50)
    lines = [f"line {number}".encode() for number in range(100)]
    written.write(*(each + b"\n" for each in lines))
    assert read_all(LogTailer(written.path, LogPosition())) == lines


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("moment", range(1, 6))
def test_a_rotation_during_the_lookup_hides_nothing(
    written: RotatedLog, monkeypatch: pytest.MonkeyPatch, moment: int, restart: bool
) -> None:
    written.backups = 8
    log = LogTailer(written.path, LogPosition())
    written.write(b"one\n")
    assert read_all(log) == [b"one"]
    for text in (b"two\n", b"three\n"):
        written.rotate()
        written.write(text)
    opened, calls = os.open, 0

    def open_during_rotation(path: Path, flags: int, *mode: int) -> int:
        nonlocal calls
        calls += flags == os.O_RDONLY
        if calls == moment and flags == os.O_RDONLY:
            written.rotate()
            written.write(b"four\n")
        return opened(path, flags, *mode)

    log = restart_tailer(log) if restart else log
    with monkeypatch.context() as patch:
        patch.setattr(log_tailer.os, "open", open_during_rotation)
        found = read_all(log)
    assert found + read_all(log) == [b"two", b"three", b"four"]
    assert log.losses == 0
