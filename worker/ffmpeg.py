"""One ffmpeg process: started in a group of its own, listened to, ended for certain."""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

from worker.progress import Progress, ProgressParser

LOG_LINES_MAX = 200
LINE_BYTES_MAX = 2_000
READERS_WAIT_S = 1.0


class Ffmpeg:
    """A running process and what it has said.

    The thread that makes it must outlive it: the kernel's parent-death signal follows that thread, not the process.
    """

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self.lines: deque[str] = deque(maxlen=LOG_LINES_MAX)
        self.progress = Progress()
        self.progressed_at_s = time.monotonic()
        # Not bytes but lines are read, by one thread a pipe: an unread pipe would stop ffmpeg.
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            close_fds=True,
            process_group=0,
        )
        self._readers = [
            threading.Thread(target=self._read_progress, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_log, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Its process id, also of its group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self, grace_s: float) -> None:
        """Ask it to finish its segment and end; after `grace_s` seconds it is killed. Returns when it is gone."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        self._close()

    def kill(self) -> None:
        """End it now, whatever it does (also when it is stopped by SIGSTOP)."""
        self.stop(0.0)

    def ending(self) -> str:
        """Why it ended, for people: its status and the last thing that it complained of."""
        code = self._process.returncode
        if code is None:
            return "ffmpeg is running"
        if code < 0:
            how = f"ffmpeg was killed by {_signal_name(-code)}"
        else:
            how = f"ffmpeg ended with status {code}" + (" although nobody asked it to" if code == 0 else "")
        # After a kill, what it said before has nothing to do with its end.
        said = list(self.lines) if code > 0 else []
        errors = [line for line in said if "[error]" in line or "[fatal]" in line]
        return f"{how}: {(errors or said)[-1]}" if said else how

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _close(self) -> None:
        for reader in self._readers:
            reader.join(READERS_WAIT_S)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def _read_progress(self, pipe: IO[bytes]) -> None:
        parser = ProgressParser()
        for line in _lines(pipe):
            told = parser.feed(line)
            if told is None:
                continue
            if told.out_time_us != self.progress.out_time_us:
                self.progressed_at_s = time.monotonic()
            self.progress = told

    def _read_log(self, pipe: IO[bytes]) -> None:
        for line in _lines(pipe):
            self.lines.append(line.rstrip())


def _lines(pipe: IO[bytes]) -> Iterator[str]:
    """Its lines, each of bounded length, until it is closed at the other end."""
    while line := pipe.readline(LINE_BYTES_MAX):
        yield line.decode(errors="replace")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
