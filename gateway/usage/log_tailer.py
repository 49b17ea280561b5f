"""The tailer of a log that is rotated by renaming. It reads each line once, in order, over rotations and restarts.

The writer renames the log to `<name>.1`, `.1` to `.2`, and continues in a new file. So the tailer identifies a file by
its inode and, since new files reuse the inodes of deleted ones, by its first bytes.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

HEAD_BYTES = 256
# More than the longest line of the gateway.
LINE_BYTES_MAX = 65_536
READ_BYTES = 1_048_576
BACKUPS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class LogPosition:
    """A file of the log and the offset of its first unread byte. The field names are keys of the checkpoint.

    `head` is the digest of the file's first `head_bytes`. `written_ns` is the file's last modification: older files
    have been read. `torn` is the start of a line that ends in this file, from the files before it.
    """

    inode: int = 0
    offset: int = 0
    head: str = ""
    head_bytes: int = 0
    written_ns: int = 0
    torn: str = ""


class LogTailer:
    """A log and a position in it. Use it from one thread only."""

    def __init__(self, path: Path, position: LogPosition) -> None:
        self.position = position
        # How often the current file and all older ones were missing, so that unread files may be lost. Lines that are
        # returned after `losses` grew were written after the loss.
        self.losses = 0
        self._path = path
        self._file: int | None = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def read(self) -> tuple[list[bytes], bool]:
        """Return the next whole lines, about `READ_BYTES` at most, and whether more may be ready."""
        if self._file is None and not self._open_current():
            return [], False
        assert self._file is not None
        # Check before reading: lines from before the rename are then in the chunk.
        is_rotated = self._inode_of(self._path) != self.position.inode
        chunk = os.pread(self._file, READ_BYTES, self.position.offset)
        whole = chunk.rfind(b"\n") + 1
        if not whole and len(chunk) >= LINE_BYTES_MAX:
            whole = len(chunk)  # The gateway writes no such line.
        if whole:
            return self._take_lines(chunk[:whole]), True
        return [], is_rotated and self._next_file(chunk)

    def _take_lines(self, text: bytes) -> list[bytes]:
        lines = text.removesuffix(b"\n").split(b"\n")
        lines[0] = self.position.torn.encode("latin-1") + lines[0]
        self._move_to(self.position.offset + len(text))
        return lines

    def _move_to(self, offset: int) -> None:
        assert self._file is not None
        head = os.pread(self._file, min(offset, HEAD_BYTES), 0)
        self.position = replace(
            self.position,
            offset=offset,
            head=hashlib.sha256(head).hexdigest(),
            head_bytes=len(head),
            written_ns=os.fstat(self._file).st_mtime_ns,
            torn="",
        )

    def _next_file(self, rest: bytes) -> bool:
        """Move from a rotated file to the next newer one, and return whether there is one."""
        with self._open_files() as files:
            inodes = [os.fstat(file).st_ino for file in files]
            if self.position.inode in inodes:
                newer = files[: inodes.index(self.position.inode)]
            else:
                # The file is deleted. The files older than it have been read.
                newer = [file for file in files if self._is_newer(file)]
                self.losses += len(newer) == len(files)
            if newer:
                self._start_file(newer[-1], rest)
            return bool(newer)

    def _open_current(self) -> bool:
        """Open the current file under its present name, else the oldest newer one. Return whether there is one."""
        with self._open_files() as files:
            for file in files:
                if self._is_same(file):
                    self._file = file
                    return True
            newer = [file for file in files if self._is_newer(file)]
            if newer:
                # Without a position: once the log was rotated, files older than the oldest may have been deleted.
                self.losses += self.position.inode != 0 or len(files) > 1
                self._start_file(newer[-1], b"")
            return bool(newer)

    def _start_file(self, file: int, rest: bytes) -> None:
        self.close()
        self._file = file
        self.position = LogPosition(
            inode=os.fstat(file).st_ino,
            written_ns=self.position.written_ns,
            torn=(self.position.torn + rest.decode("latin-1"))[:LINE_BYTES_MAX],
        )

    def _is_same(self, file: int) -> bool:
        known, status = self.position, os.fstat(file)
        if status.st_ino != known.inode or status.st_size < known.offset:
            return False
        head = os.pread(file, known.head_bytes, 0)
        return not known.head_bytes or hashlib.sha256(head).hexdigest() == known.head

    def _is_newer(self, file: int) -> bool:
        return os.fstat(file).st_mtime_ns > self.position.written_ns

    @contextmanager
    def _open_files(self) -> Iterator[list[int]]:
        """Open the log and its rotated files, each once, newest first. On exit, close all but the current file.

        Files are opened in the order in which they are renamed, so a concurrent rotation hides none. Each name is
        looked up once, since a rotation gives it to another file.
        """
        files: dict[int, int] = {}
        try:
            for number in range(BACKUPS_MAX + 1):
                path = self._path.with_name(f"{self._path.name}.{number}") if number else self._path
                with suppress(FileNotFoundError):
                    file = os.open(path, os.O_RDONLY)
                    if files.setdefault(os.fstat(file).st_ino, file) != file:
                        os.close(file)
            yield list(files.values())
        finally:
            for file in files.values():
                if file != self._file:
                    os.close(file)

    @staticmethod
    def _inode_of(path: Path) -> int:
        try:
            return path.stat().st_ino
        except FileNotFoundError:
            return 0
