"""Reads a log that is rotated by renaming: each line once, in order, over rotations and restarts of both sides.

Whoever writes the log renames it to `<name>.1`, what was `.1` to `.2`, and goes on in a new file. So a file is known by
its inode, and, since the number of a deleted file is given to new ones, by its first bytes.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

HEAD_BYTES = 256
# More than the longest line; what is longer is not ours.
LINE_BYTES_MAX = 65_536
READ_BYTES = 1_048_576
BACKUPS_MAX = 20
LOOKS_MAX = 5


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
        files = self._files()
        inodes = [inode for inode, _ in files]
        if self.position.inode in inodes:
            newer = files[: inodes.index(self.position.inode)]
        else:
            # It is gone, after many renames or by hand. What is older than it was read before it.
            newer = [each for each in files if self._is_newer(each[1])]
            self.losses += len(newer) == len(files)
        return bool(newer) and self._switch(newer[-1][1], rest)

    def _switch(self, path: Path, rest: bytes) -> bool:
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return False  # Renamed this very moment; the next look finds it.
        if any(path != each for inode, each in self._files() if inode == os.fstat(file).st_ino):
            os.close(file)
            return False
        self.close()
        self._file = file
        written_ns = self.position.written_ns
        torn = (self.position.torn + rest.decode("latin-1"))[:LINE_BYTES_MAX]
        self.position = Position(inode=os.fstat(file).st_ino, written_ns=written_ns, torn=torn)
        return True

    def _open(self) -> bool:
        """The file that was being read, wherever it was renamed to; else the oldest that is newer than it."""
        files = self._files()
        for inode, path in files:
            if inode == self.position.inode and self._is_same(path):
                return True
        newer = [path for _, path in files if self._is_newer(path)]
        if not newer:
            return False
        self.losses += self.position.inode != 0
        return self._switch(newer[-1], b"")

    def _is_same(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        known, status = self.position, os.fstat(file)
        head = os.pread(file, known.head_bytes, 0)
        if (
            status.st_ino == known.inode
            and status.st_size >= known.offset
            and (not known.head_bytes or hashlib.sha256(head).hexdigest() == known.head)
        ):
            self._file = file
            return True
        os.close(file)
        return False

    def _is_newer(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime_ns > self.position.written_ns
        except FileNotFoundError:
            return False

    def _files(self) -> list[tuple[int, Path]]:
        """The log and what it was renamed to, newest first; looked at until two looks are the same."""
        seen = self._look()
        for _ in range(LOOKS_MAX):
            again = self._look()
            if again == seen:
                break
            seen = again
        return seen

    def _look(self) -> list[tuple[int, Path]]:
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, BACKUPS_MAX + 1))]
        return [(inode, path) for path in names if (inode := self._inode_of(path))]

    @staticmethod
    def _inode_of(path: Path) -> int:
        try:
            return path.stat().st_ino
        except FileNotFoundError:
            return 0
