"""Each line of a rotated log is read once, in order, whatever happens to the files."""

import os
from pathlib import Path

import pytest

from gateway.usage import log_tailer
from gateway.usage.log_tailer import AccessLog, Position
from tests.unit.gateway.log_lines import RotatedLog


@pytest.fixture
def written(tmp_path: Path) -> RotatedLog:
    return RotatedLog(tmp_path / "access.log")


def rest(log: AccessLog) -> list[bytes]:
    """All that there is to read."""
    found: list[bytes] = []
    more = True
    while more:
        lines, more = log.read()
        found += lines
    return found


def restarted(log: AccessLog) -> AccessLog:
    """Another process at the same position."""
    log.close()
    return AccessLog(log._path, log.position)


def test_lines_are_read_as_they_come(written: RotatedLog) -> None:
    log = AccessLog(written.path, Position())
    assert rest(log) == []
    written.write(b"one\ntwo\n")
    assert rest(log) == [b"one", b"two"]
    written.write(b"three\n")
    assert rest(log) == [b"three"]
    assert rest(log) == []


def test_a_log_may_come_later(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "access.log", Position())
    assert rest(log) == []
    RotatedLog(tmp_path / "access.log").write(b"one\n")
    assert rest(log) == [b"one"]


def test_the_beginning_of_a_line_waits_for_its_end(written: RotatedLog) -> None:
    log = AccessLog(written.path, Position())
    written.write(b"one\ntw")
    assert rest(log) == [b"one"]
    log = restarted(log)
    assert rest(log) == []
    written.write(b"o\n")
    assert rest(log) == [b"two"]


@pytest.mark.parametrize("restart", [False, True])
def test_the_old_file_is_finished_before_the_new_one(written: RotatedLog, restart: bool) -> None:
    log = AccessLog(written.path, Position())
    written.write(b"one\n")
    assert rest(log) == [b"one"]
    written.write(b"two\n")
    written.rotate()
    written.write(b"three\n")
    log = restarted(log) if restart else log
    assert rest(log) == [b"two", b"three"]


@pytest.mark.parametrize("restart", [False, True])
def test_several_rotations_at_once(written: RotatedLog, restart: bool) -> None:
    log = AccessLog(written.path, Position())
    written.write(b"one\n")
    assert rest(log) == [b"one"]
    for text in (b"two\n", b"three\n"):
        written.rotate()
        written.write(text)
    log = restarted(log) if restart else log
    assert rest(log) == [b"two", b"three"]
    assert log.losses == 0


@pytest.mark.parametrize("restart", [False, True])
def test_a_line_that_is_torn_by_the_rotation_is_put_together(written: RotatedLog, restart: bool) -> None:
    log = AccessLog(written.path, Position())
    written.write(b"one\ntw")
    written.rotate()
    assert rest(log) == [b"one"]
    log = restarted(log) if restart else log
    written.write(b"o\nthree\n")
    assert rest(log) == [b"two", b"three"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_line_that_is_torn_by_two_rotations_is_put_together(written: RotatedLog, restart: bool) -> None:
    log = AccessLog(written.path, Position())
    for part in (b"one\nt", b"w", b"o"):
        written.write(part)
        written.rotate()
        assert rest(log) in ([b"one"], [])
        log = restarted(log) if restart else log
    written.write(b"\nthree\n")
    assert rest(log) == [b"two", b"three"]


def test_all_that_there_is_is_read_at_first(written: RotatedLog) -> None:
    written.write(b"one\n")
    written.rotate()
    written.write(b"two\n")
    assert rest(AccessLog(written.path, Position())) == [b"one", b"two"]


@pytest.mark.parametrize("restart", [False, True])
def test_what_was_rotated_away_unread_is_told(written: RotatedLog, restart: bool) -> None:
    log = AccessLog(written.path, Position())
    written.write(b"one\n")
    assert rest(log) == [b"one"]
    for text in (b"two\n", b"three\n", b"four\n", b"five\n"):
        written.rotate()
        written.write(text)
    log = restarted(log) if restart else log
    assert rest(log) == [b"three", b"four", b"five"]
    assert log.losses == 1


@pytest.mark.parametrize("restart", [False, True])
def test_a_log_that_is_removed_brings_older_files_not_back(written: RotatedLog, restart: bool) -> None:
    log = AccessLog(written.path, Position())
    written.write(b"one\n")
    written.rotate()
    written.write(b"two\n")
    assert rest(log) == [b"one", b"two"]
    later = written.path.stat().st_mtime_ns + 1_000_000_000
    written.path.unlink()
    written.write(b"three\n")
    os.utime(written.path, ns=(later, later))
    log = restarted(log) if restart else log
    assert rest(log) == [b"three"]


def test_a_new_file_with_the_number_of_a_deleted_one_is_read_from_its_beginning(written: RotatedLog) -> None:
    log = AccessLog(written.path, Position())
    written.write(b"one\n")
    assert rest(log) == [b"one"]
    log.close()
    later = written.path.stat().st_mtime_ns + 1_000_000_000
    # In place, as if the number had been given to a new file.
    written.path.write_bytes(b"two\nthree\n")
    os.utime(written.path, ns=(later, later))
    assert rest(AccessLog(written.path, log.position)) == [b"two", b"three"]


def test_a_line_without_an_end_does_not_stop_it(written: RotatedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tailer, "LINE_BYTES_MAX", 64)
    log = AccessLog(written.path, Position())
    written.write(b"x" * 100)
    assert rest(log) == [b"x" * 100]
    written.write(b"y\none\n")
    assert rest(log) == [b"y", b"one"]


def test_more_than_one_read_takes_at_once(written: RotatedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tailer, "READ_BYTES", 50)
    lines = [f"line {number}".encode() for number in range(100)]
    written.write(*(each + b"\n" for each in lines))
    assert rest(AccessLog(written.path, Position())) == lines


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("moment", range(1, 6))
def test_a_rotation_while_it_looks_hides_nothing(
    written: RotatedLog, monkeypatch: pytest.MonkeyPatch, moment: int, restart: bool
) -> None:
    written.backups = 8
    log = AccessLog(written.path, Position())
    written.write(b"one\n")
    assert rest(log) == [b"one"]
    for text in (b"two\n", b"three\n"):
        written.rotate()
        written.write(text)
    opened, calls = os.open, 0

    def open_while_it_is_rotated(path: Path, flags: int, *mode: int) -> int:
        nonlocal calls
        calls += flags == os.O_RDONLY
        if calls == moment and flags == os.O_RDONLY:
            written.rotate()
            written.write(b"four\n")
        return opened(path, flags, *mode)

    log = restarted(log) if restart else log
    with monkeypatch.context() as patch:
        patch.setattr(log_tailer.os, "open", open_while_it_is_rotated)
        found = rest(log)
    assert found + rest(log) == [b"two", b"three", b"four"]
    assert log.losses == 0
