"""Examining the first segment of each run in the background, a rendition a thread: nobody waits but the very first."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from worker.inbox import Finished
from worker.variants import Facts

# A segment that could not be examined is no reason to give up, but a run whose segments never can is let be.
TRIES_MAX = 5

Probe = Callable[[bytes], Facts | None]


class Examination:
    """The facts of each rendition, of the newest run that was examined. Used by one thread."""

    def __init__(self, probe: Probe, renditions: Sequence[str]) -> None:
        self.facts: dict[str, Facts] = {}
        self._probe = probe
        self._renditions = tuple(renditions)
        self._pool = ThreadPoolExecutor(len(renditions), thread_name_prefix="probe")
        self._asked: dict[str, Future[Facts | None]] = {}
        self._tries = 0

    def look(self, segment: Finished) -> None:
        """Examine this segment, if its run is new or could not be examined yet."""
        if segment.first_of_run:
            self._tries = TRIES_MAX
        if not self._tries or self._asked:
            return
        self._tries -= 1
        # Read at once: the files are removed as soon as the segment is published.
        bodies = {name: segment.files[name].read_bytes() for name in self._renditions}
        self._asked = {name: self._pool.submit(self._probe, body) for name, body in bodies.items()}

    def collect(self, wait_s: float = 0.0) -> None:
        """Take the answers, if all are there or come within `wait_s`."""
        if not self._asked or wait(self._asked.values(), wait_s).not_done:
            return
        answers = {name: future.result() for name, future in self._asked.items()}
        self._asked = {}
        if all(answers.values()):
            self._tries = 0
        self.facts.update({name: facts for name, facts in answers.items() if facts})

    def close(self) -> None:
        """Give the threads back."""
        self._pool.shutdown(wait=False, cancel_futures=True)
