"""One encoding ffmpeg: a child that tells on its `-progress` pipe how it is getting on."""

import time
from collections.abc import Mapping, Sequence
from typing import IO

from worker.child import Child, lines_of
from worker.encoding.progress import Progress, ProgressParser


class Ffmpeg(Child):
    """The process that makes the segments. With `stdin` it reads its source from there."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], *, stdin: bool = False) -> None:
        super().__init__(argv, environ, stdin=stdin)
        self.progress = Progress()
        self.progressed_at_s = time.monotonic()
        self._listen(self._read_progress, self.stdout)

    def _read_progress(self, pipe: IO[bytes]) -> None:
        parser = ProgressParser()
        for line in lines_of(pipe):
            told = parser.feed(line)
            if told is None:
                continue
            if told.out_time_us != self.progress.out_time_us:
                self.progressed_at_s = time.monotonic()
            self.progress = told
