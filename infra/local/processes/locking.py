"""One `make up` or `make down` at a time, and nothing left behind by an interruption of either."""

import fcntl
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from infra.local.layout import Layout

LOCK_S_MAX = 120.0
CHILD_END_S_MAX = 20.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class LockedError(Exception):
    """Another command is at work on the same state directory, and does not come to an end."""


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """One `up` or `down` at a time on a state directory; the kernel lets go of the lock however this process ends."""
    with (layout.state_dir / "stack.lock").open("w") as lock:
        deadline = time.monotonic() + LOCK_S_MAX
        waiting = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    print("Another `make up` or `make down` is at work; waiting for it.", flush=True)
                waiting = True
                if time.monotonic() > deadline:
                    raise LockedError(
                        f"Another `make up` or `make down` took longer than {LOCK_S_MAX:.0f} s."
                    ) from None
                time.sleep(0.2)
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not interrupt the cleaning up after the first."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """What interrupts meanwhile does so at the end."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for missed in came:
            signal.raise_signal(missed)


@contextmanager
def child(
    command: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    output: IO[str],
    detached: bool = False,
) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive a failure or an interruption of the block, at whatever moment that comes.

    `subprocess` alone leaves a child behind when the signal arrives while it makes one.
    """
    process: subprocess.Popen[str] | None = None
    try:
        with held():
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
            with undisturbed():
                process.terminate()
                try:
                    process.wait(CHILD_END_S_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        raise
