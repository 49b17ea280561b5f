"""Logs of runs, stored for operators by a thread of their own: a slow store never affects the stream."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from chalicelib.domain.streams.run_logs import (
    LINE_CHARS_MAX,
    LINES_KEPT,
    NOTE_CHARS_MAX,
    RUNS_KEPT,
    RunLog,
    decode,
    encode,
    newest_logs,
    run_log_key,
)
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.streams.media import EtagMismatch, MediaStore
from worker.claims import HeldClaim
from worker.encoding.transcoder import Transcoder
from worker.processes.redaction import redact

log = logging.getLogger(__name__)

INTERVAL_S = 10.0
# Once a run has ended, operators want to know why.
ENDED_INTERVAL_S = 1.0
TRIES_MAX = 3


class OpenLog:
    """The log of one run, which its owner closes. `source_lines` are those of the source's receiver, if it has one."""

    def __init__(
        self,
        log: RunLog,
        run: Transcoder | None,
        source_lines: deque[str],
        now_ms: Callable[[], int],
        on_change: Callable[[], None],
    ) -> None:
        self.source_lines = source_lines
        self._log = log
        self._run = run
        self._now_ms = now_ms
        self._on_change = on_change

    def close(self, ending: str) -> None:
        """Note that the run is over, and why."""
        self._log = replace(self._log, ended_at_ms=self._now_ms(), ending=ending)
        self._on_change()

    def snapshot(self, secrets: Iterable[str]) -> RunLog:
        """Return the log as operators may see it now."""
        ending = self._log.ending
        return replace(
            self._log,
            lines=_redact_lines(self._run.lines, secrets) if self._run else (),
            repairs=self._run.progress.repairs if self._run else None,
            notes=tuple(note[:NOTE_CHARS_MAX] for note in self._run.notes.copy()) if self._run else (),
            source_lines=_redact_lines(self.source_lines, secrets),
            ending=redact(ending, secrets)[:LINE_CHARS_MAX] if ending else None,
        )


class RunLogs(threading.Thread):
    """The newest runs of one stream, and why sources of it are not open.

    It is stored when a run ends or a reason changes, and every few seconds while something is new.
    """

    def __init__(
        self, media: MediaStore, clock: Clock, held_claim: HeldClaim, secrets: Callable[[], Iterable[str]]
    ) -> None:
        super().__init__(name=f"run-logs-{held_claim.claim.stream_id}", daemon=True)
        self._media = media
        self._clock = clock
        self._held_claim = held_claim
        self._secrets = secrets
        self._key = run_log_key(held_claim.claim.stream_id)
        self._open: deque[OpenLog] = deque(maxlen=RUNS_KEPT)
        # By source, with the reason.
        self._unopened: dict[str, tuple[str, OpenLog]] = {}
        self._stored: tuple[RunLog, ...] | None = None
        self._over = threading.Event()
        self._wake = threading.Event()
        self._silent = False

    def add_run(self, name: str, source: str, run: Transcoder, source_lines: deque[str]) -> OpenLog:
        """Open the log of a run. `source_lines` is the live log of its receiver."""
        reason, before = self._unopened.get(source, ("", None))
        if before and reason:
            before.close(reason)
            self._unopened[source] = "", before
        opened = self._new(source, source_lines, name=name, run=run)
        self._open.append(opened)
        return opened

    def add_unopened(self, source: str, reason: str, source_lines: deque[str]) -> None:
        """Note why a source cannot be played, until a run of it begins. `source_lines` may grow.

        It may be called with the same reason many times.
        """
        before = self._unopened.get(source)
        if before and before[0] == reason:
            if source_lines:
                # The source may have another receiver by now.
                before[1].source_lines = source_lines
            return
        self._unopened[source] = reason, self._new(source, source_lines, ending=reason)
        self._wake.set()

    def _new(
        self,
        source: str,
        source_lines: deque[str],
        *,
        name: str | None = None,
        run: Transcoder | None = None,
        ending: str | None = None,
    ) -> OpenLog:
        worker_id, now_ms = self._held_claim.claim.worker_id, self._clock.now_ms
        begun = RunLog(worker_id=worker_id, run=name, source=source, began_at_ms=now_ms(), ending=ending)
        return OpenLog(begun, run, source_lines, now_ms, self._wake.set)

    def close(self, timeout_s: float) -> None:
        """Store what is new and end. What cannot be stored in that time is lost."""
        self._over.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout_s)

    def run(self) -> None:
        """Store what is new until `close`."""
        while not self._over.is_set():
            if self._wake.wait(INTERVAL_S):
                self._wake.clear()
            self._store()
            self._over.wait(ENDED_INTERVAL_S)
        self._store()

    def _store(self) -> None:
        try:
            unopened = [opened for _, opened in self._unopened.copy().values()]
            snapshot = newest_logs(each.snapshot(self._secrets()) for each in (*self._open.copy(), *unopened))
            if snapshot and snapshot != self._stored and self._held_claim.is_safe:
                self._write(snapshot)
                self._stored = snapshot
            self._silent = False
        except (StoreUnavailable, EtagMismatch) as error:
            if not self._silent:
                log.warning("logs cannot be stored", extra={"key": self._key, "error": str(error)})
            self._silent = True
        except Exception:
            log.exception("logs cannot be stored", extra={"key": self._key})

    def _write(self, snapshot: tuple[RunLog, ...]) -> None:
        """Merge with the runs of earlier workers; two workers may write at once."""
        for tries_left in reversed(range(TRIES_MAX)):
            stored = self._media.get(self._key)
            body = encode(newest_logs((*(decode(stored.body) if stored else ()), *snapshot)))
            try:
                etag = stored.etag if stored else None
                self._media.put(self._key, body, "application/json", if_match=etag, if_absent=etag is None)
                return
            except EtagMismatch:
                if not tries_left:
                    raise


def _redact_lines(lines: deque[str], secrets: Iterable[str]) -> tuple[str, ...]:
    said = [redact(line, secrets)[:LINE_CHARS_MAX] for line in lines.copy()]
    return tuple(said[-LINES_KEPT:])
