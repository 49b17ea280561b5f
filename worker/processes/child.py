"""A program that the worker runs: started in a group of its own, within limits, listened to, ended for certain."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

from worker.processes.redaction import redact

LOG_LINES_MAX = 200
LINE_BYTES_MAX = 2_000
READERS_WAIT_S = 1.0
# What programs of ours begin a line with that says why they end.
ERROR_MARK = "[error]"


class Child:
    """A running process and the last lines of what it has said, without the secrets that it was given.

    The thread that makes it must outlive it: the kernel's parent-death signal follows that thread, not the process.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdin: bool = False,
        secrets: Sequence[str] = (),
        reword: Callable[[str], str] = str,
    ) -> None:
        self.lines: deque[str] = deque(maxlen=LOG_LINES_MAX)
        self._name = name
        self._reword = reword
        self._secrets = tuple(secrets)
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            close_fds=True,
            process_group=0,
        )
        # Not bytes but lines are read, by one thread a pipe: an unread pipe would stop the process.
        self._readers: list[threading.Thread] = []
        self._start_reader(self._read_log, self._process.stderr)

    @property
    def pid(self) -> int:
        """Its process id, also of its group."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """The status that it ended with; None while it runs."""
        return self._process.poll()

    @property
    def stdin(self) -> IO[bytes]:
        """Where it reads from, if that was asked for. Whoever writes there closes it at the end."""
        assert self._process.stdin
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """What it writes; somebody has to read it."""
        assert self._process.stdout
        return self._process.stdout

    def stop(self, grace_s: float) -> None:
        """Ask it to end what it is at; after `grace_s` seconds it is killed. Returns when it is gone."""
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
            return f"the {self._name} is running"
        self._wait_for_log()
        if code < 0:
            # What it said before has nothing to do with a kill.
            return f"the {self._name} was killed by {_signal_name(-code)}"
        last_lines = self._complaint() if code else ""
        how = f"the {self._name} ended with status {code}"
        return f"{how}: {last_lines}" if last_lines else how + ("" if code else " although it was not asked to")

    def complaint(self) -> str:
        """What it complained of last, `""` if it did not."""
        self._wait_for_log()
        return self._complaint().removeprefix(ERROR_MARK).strip()

    def _complaint(self) -> str:
        last_lines = list(self.lines)
        errors = [line for line in last_lines if line.startswith(ERROR_MARK)]
        return (errors or last_lines or [""])[-1]

    def _wait_for_log(self) -> None:
        """The last words are what counts, and may be on their way."""
        for reader in self._readers:
            reader.join(READERS_WAIT_S)

    def _start_reader(self, read: Callable[[IO[bytes]], None], pipe: IO[bytes] | None) -> None:
        reader = threading.Thread(target=read, args=(pipe,), daemon=True)
        self._readers.append(reader)
        reader.start()

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _close(self) -> None:
        for reader in self._readers:
            reader.join(READERS_WAIT_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                # What is left in a buffer for a process that has ended is lost.
                with suppress(OSError):
                    pipe.close()

    def _read_log(self, pipe: IO[bytes]) -> None:
        for line in read_lines(pipe):
            self.lines.append(redact(self._reword(line.rstrip()), self._secrets))


def read_lines(pipe: IO[bytes]) -> Iterator[str]:
    """Its lines, each of bounded length, until it is closed at the other end.

    The rest of a longer one is dropped: what makes a secret in it known as one may stand in the part before.
    """
    begins = True
    while line := pipe.readline(LINE_BYTES_MAX):
        if begins:
            yield line.decode(errors="replace")
        begins = line.endswith(b"\n")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
