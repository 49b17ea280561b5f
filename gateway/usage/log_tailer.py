"""Reads a log that is rotated by renaming: each line once, in order, over rotations and restarts of both sides.

Whoever writes the log renames it to `<name>.1`, what was `.1` to `.2`, and goes on in a new file. So a file is known by
its inode, and, since the number of a deleted file is given to new ones, by its first bytes.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

HEAD_BYTES = 256
# More than the longest line; what is longer is not ours.
LINE_BYTES_MAX = 65_536
READ_BYTES = 1_048_576
BACKUPS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far the log was read: a file and the first byte of it that was not.

    `head` is the digest of the file's first `head_bytes`; `written_ns` when it had been written to last, so that what
    is older is known to be read. `torn` is the beginning of a line whose end is in this file, from those before.
    """

    inode: int = 0
    offset: int = 0
    head: str = ""
    head_bytes: int = 0
    written_ns: int = 0
    torn: str = ""


class AccessLog:
    """A log and a position in it. Not to be used by two threads."""

    def __init__(self, path: Path, position: Position) -> None:
        self.position = position
        # How often the file that was being read had gone with all that is older: others may have gone unread.
        self.losses = 0
        self._path = path
        self._file: int | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def read(self) -> tuple[list[bytes], bool]:
        """The next whole lines, at most about `READ_BYTES` of them, and whether there may be more at once."""
        if self._file is None and not self._open():
            return [], False
        assert self._file is not None
        # Asked first: what is written before a rename is there to be read after it.
        rotated = self._inode_of(self._path) != self.position.inode
        chunk = os.pread(self._file, READ_BYTES, self.position.offset)
        whole = chunk.rfind(b"\n") + 1
        if not whole and len(chunk) >= LINE_BYTES_MAX:
            whole = len(chunk)  # No line of ours.
        if whole:
            return self._lines(chunk[:whole]), True
        return [], rotated and self._go_on(chunk)

    def _lines(self, text: bytes) -> list[bytes]:
        lines = text.removesuffix(b"\n").split(b"\n")
        lines[0] = self.position.torn.encode("latin-1") + lines[0]
        self._moved(self.position.offset + len(text))
        return lines

    def _moved(self, offset: int) -> None:
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

    def _go_on(self, rest: bytes) -> bool:
        """From a file that nobody writes to any more to the next newer one, if it is there yet."""
        with self._opened() as files:
            inodes = [os.fstat(file).st_ino for file in files]
            if self.position.inode in inodes:
                newer = files[: inodes.index(self.position.inode)]
            else:
                # It is gone, after many renames or by hand. What is older than it was read before it.
                newer = [file for file in files if self._is_newer(file)]
                self.losses += len(newer) == len(files)
            if newer:
                self._begin(newer[-1], rest)
            return bool(newer)

    def _open(self) -> bool:
        """The file that was being read, wherever it was renamed to; else the oldest that is newer than it."""
        with self._opened() as files:
            for file in files:
                if self._is_same(file):
                    self._file = file
                    return True
            newer = [file for file in files if self._is_newer(file)]
            if newer:
                self.losses += self.position.inode != 0
                self._begin(newer[-1], b"")
            return bool(newer)

    def _begin(self, file: int, rest: bytes) -> None:
        self.close()
        self._file = file
        self.position = Position(
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
    def _opened(self) -> Iterator[list[int]]:
        """The log and what it was renamed to, newest first, each once; all but the one to be read are closed again.

        They are opened in the direction in which they are renamed, so a rotation meanwhile hides none of them; after
        it, a name is another file's, so nothing is looked up by name twice.
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
