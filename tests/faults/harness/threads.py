"""Threads of clients."""

import threading
import time
from collections.abc import Callable, Sequence


class Threads:
    """Threads that run one task each. An error of a task sets `stopped`, which the other tasks check."""

    def __init__(self, tasks: Sequence[Callable[[], object]], stopped: threading.Event | None = None) -> None:
        self._errors: list[BaseException] = []
        self._stopped = stopped or threading.Event()
        # Daemons, so that one that hangs does not keep the process alive.
        self._threads = [threading.Thread(target=self._run, args=(task,), daemon=True) for task in tasks]
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of all. Raises the first error of a task."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._errors:
            raise self._errors[0]
        assert not any(thread.is_alive() for thread in self._threads), f"a thread did not end within {timeout_s:.0f} s"

    def _run(self, task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:
            self._errors.append(error)
            self._stopped.set()
