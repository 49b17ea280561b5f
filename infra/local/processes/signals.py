"""Clean-up that a second Ctrl-C cannot interrupt, and child processes that an interruption does not leave behind."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

CHILD_END_S_MAX = 20.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ignored_signals() -> Iterator[None]:
    """Ignore the signals that interrupt, for the clean-up after the first of them."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Raise the signals that arrive during the block at its end."""
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda number, _: arrived.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for missed in arrived:
            signal.raise_signal(missed)


@contextmanager
def child_process(
    command: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    output: IO[str],
    detached: bool = False,
) -> Iterator[subprocess.Popen[str]]:
    """Run a process that ends when the block fails or is interrupted.

    `subprocess` alone leaves a child behind when a signal arrives while it creates one.
    """
    process: subprocess.Popen[str] | None = None
    try:
        with deferred_signals():
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=detached,
                text=True,
            )
        yield process
    except BaseException:
        if process is not None:
            with ignored_signals():
                process.terminate()
                wait_or_kill(process)
        raise


def wait_or_kill(process: subprocess.Popen[Any]) -> None:
    """Wait for the end of a process that was asked to end, and kill it after `CHILD_END_S_MAX`."""
    try:
        process.wait(CHILD_END_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
