"""One `make up` or `make down` at a time, and no interruption of the cleaning up."""

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.layout import Layout

LOCK_S_MAX = 120.0


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
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
