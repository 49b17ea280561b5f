"""Child processes: started in a process group within limits, read line by line, and ended reliably."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

from worker.processes.module_process import ERROR_MARK
from worker.processes.redaction import redact

LOG_LINES_MAX = 200
LINE_BYTES_MAX = 2_000
READERS_WAIT_S = 1.0


class Child:
    """A running process and its last lines of log, without its secrets and the lines with a `harmless` part.

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
        harmless: Sequence[str] = (),
    ) -> None:
        self.lines: deque[str] = deque(maxlen=LOG_LINES_MAX)
        self._name = name
        self._reword = reword
        self._secrets = tuple(secrets)
        self._harmless = tuple(harmless)
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            close_fds=True,
            process_group=0,
        )
        # One thread reads each pipe: a full pipe would stop the process.
        self._readers: list[threading.Thread] = []
        self._start_reader(self._read_log, self._process.stderr)

    @property
    def pid(self) -> int:
        """Return its process id, which is also its group's."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Return the status that it ended with; None while it runs."""
        return self._process.poll()

    @property
    def stdin(self) -> IO[bytes]:
        """Return its input pipe, if one was asked for. The writer closes it."""
        assert self._process.stdin
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """Return its output pipe, which has to be read."""
        assert self._process.stdout
        return self._process.stdout

    def stop(self, grace_s: float) -> None:
        """Send SIGTERM, and SIGKILL after `grace_s` seconds. Return when the process has ended."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        self._close()

    def kill(self) -> None:
        """End it at once, even if SIGSTOP has stopped it."""
        self.stop(0.0)

    def ending(self) -> str:
        """Return why it ended, for the operator: its status and its last error."""
        code = self._process.returncode
        if code is None:
            return f"the {self._name} is running"
        self._wait_for_log()
        if code < 0:
            # Its earlier lines have nothing to do with a kill.
            return f"the {self._name} was killed by {_signal_name(-code)}"
        last_lines = self._complaint() if code else ""
        how = f"the {self._name} ended with status {code}"
        return f"{how}: {last_lines}" if last_lines else how + ("" if code else " although it was not asked to")

    def complaint(self) -> str:
        """Return its last error, `""` without one."""
        self._wait_for_log()
        return self._complaint().removeprefix(ERROR_MARK).strip()

    def _complaint(self) -> str:
        last_lines = list(self.lines)
        errors = [line for line in last_lines if line.startswith(ERROR_MARK)]
        return (errors or last_lines or [""])[-1]

    def _wait_for_log(self) -> None:
        """Wait for the last lines, which may not be read yet."""
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
        self._wait_for_log()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                # Buffered input of an ended process is lost.
                with suppress(OSError):
                    pipe.close()

    def _read_log(self, pipe: IO[bytes]) -> None:
        for line in read_lines(pipe):
            if any(part in line for part in self._harmless):
                continue
            self.lines.append(redact(self._reword(line.rstrip()), self._secrets))


def read_lines(pipe: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a pipe, each of bounded length, until its other end is closed.

    The rest of a longer line is dropped: the part before may hold what marks it as a secret.
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
