"""Inspects a published segment now and then: what viewers really get, apart from the encoder's reports."""

import json
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from worker.processes.limits import limit_argv
from worker.processes.module_process import python_argv
from worker.publishing.segment_queue import FinishedSegment

# The smallest rendition takes about 0.2 s of processor time: less than 1 % of a core.
INTERVAL_S = 30.0
LOOK_S_MAX = 10.0


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What one segment holds; `duration_s` is from its playlist. `peak` is of 32,767."""

    run: int
    duration_s: float
    has_sound: bool
    sound_s: float
    peak: int
    moves: bool
    dark: bool


class SegmentSampler:
    """The inspections. Filled by the publishing thread; `newest` is read by the supervising one.

    With `sound_only` the picture is not decoded: of a copied stream it is not judged, and may be a large one.
    """

    def __init__(self, environ: Mapping[str, str], *, sound_only: bool) -> None:
        self.newest: Sample | None = None
        self._environ = dict(environ)
        self._options = ("--sound",) if sound_only else ()
        self._due_s = 0.0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sample")
        self._looking: Future[None] | None = None

    def look_soon(self) -> None:
        """Inspect the next segment, whenever the last inspection was."""
        self._due_s = 0.0

    def offer(self, segment: FinishedSegment) -> None:
        """Inspect this segment if that is due. The file is read at once."""
        if time.monotonic() < self._due_s or (self._looking and not self._looking.done()):
            return
        self._due_s = time.monotonic() + INTERVAL_S
        body = min((path.read_bytes() for path in segment.files.values()), key=len)
        self._looking = self._pool.submit(self._look, body, segment.run, segment.duration_s)

    def close(self) -> None:
        """Stop the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look(self, body: bytes, run: int, duration_s: float) -> None:
        try:
            done = subprocess.run(
                limit_argv([*python_argv("worker.checking"), *self._options]),
                input=body,
                capture_output=True,
                timeout=LOOK_S_MAX,
                env=self._environ,
                check=False,
            )
            self.newest = Sample(run=run, duration_s=duration_s, **json.loads(done.stdout))
        except (OSError, ValueError, TypeError, subprocess.TimeoutExpired):
            # A failed inspection says nothing about the segment: the machine may be busy.
            pass
