"""The lock that lets one `make up` or `make down` at a time work on a state directory."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from infra.local.layout import Layout

LOCK_S_MAX = 120.0


class LockedError(Exception):
    """Another command held the lock of the state directory for longer than `LOCK_S_MAX`."""


@contextmanager
def exclusive_lock(layout: Layout) -> Iterator[None]:
    """Hold the state directory's lock. The kernel releases it however this process ends."""
    lock = FileLock(layout.state_dir / "stack.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("Another `make up` or `make down` is running. Waiting for it.", flush=True)
        try:
            lock.acquire(timeout=LOCK_S_MAX)
        except Timeout:
            raise LockedError(f"Another `make up` or `make down` took longer than {LOCK_S_MAX:.0f} s.") from None
    try:
        yield
    finally:
        lock.release()
