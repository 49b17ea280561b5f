"""The events: faults of the pipeline, and the check that it recovers."""

import os
import random
import signal
import time
from dataclasses import dataclass, field

from tests.chaos.follower import Follower
from tests.chaos.plan import Kind
from tests.chaos.workers import Worker, Workers

RECOVERED_S_MAX = 90.0
# A resumed worker checks its claim at once. It is observed for this long.
OBSERVED_S = 5.0
FROZEN_S = (1.0, 4.0)
ENCODER_S_MAX = 15.0


@dataclass(frozen=True)
class EventResult:
    """An event. `recovered_s` is the time from the kill (or the end of the fault) to the next new segment."""

    kind: Kind
    began_at_s: float
    recovered_s: float | None


@dataclass
class EventRunner:
    """A runner of a stream's events. `problems` are violations by workers."""

    workers: Workers
    follower: Follower
    rng: random.Random
    uploads_fail_s: float
    problems: list[str] = field(default_factory=list)

    def run(self, kind: Kind) -> EventResult:
        """Run an event, and wait for the next new segment."""
        method = {
            Kind.ENCODER: self._kill_encoder,
            Kind.WORKER: self._kill_worker,
            Kind.HAND_OVER: self._hand_over,
            Kind.UPLOADS: self._fail_uploads,
            Kind.FREEZE: self._freeze,
        }[kind]
        result = method()
        if result.recovered_s is None:
            self.problems.append(f"{kind}: no new segment within {RECOVERED_S_MAX:.0f} s")
        return result

    def _kill_encoder(self) -> EventResult:
        before, began_s = self.follower.run, time.monotonic()
        for pid in self.workers.current.encoders():
            os.kill(pid, signal.SIGKILL)
        return self._recovered(Kind.ENCODER, began_s, before)

    def _kill_worker(self) -> EventResult:
        """Kill the worker and restart it at once, as a supervisor does."""
        before, began_s = self.follower.run, time.monotonic()
        self.workers.current.kill()
        self.workers.current.start()
        return self._recovered(Kind.WORKER, began_s, before)

    def _hand_over(self) -> EventResult:
        old, new = self.workers.current, self.workers.start()
        before, began_s = self.follower.run, time.monotonic()
        self._drain(old)
        self.workers.current = new
        return self._recovered(Kind.HAND_OVER, began_s, before)

    def _fail_uploads(self) -> EventResult:
        """Let all uploads fail. Worker and encoder have to keep running."""
        store, began_s = self.workers.current.store, time.monotonic()
        store.failing = True
        time.sleep(self.uploads_fail_s)
        store.failing = False
        ended_s = time.monotonic()
        arrival = self.follower.wait_for_new(ended_s, RECOVERED_S_MAX)
        return EventResult(Kind.UPLOADS, began_s, arrival.at_s - ended_s if arrival else None)

    def _freeze(self) -> EventResult:
        """Freeze the worker but not its encoder, so that it has much to publish when it resumes."""
        old, new = self.workers.current, self.workers.start()
        before, began_s = self.follower.run, time.monotonic()
        old.send(signal.SIGSTOP)
        result = self._recovered(Kind.FREEZE, began_s, before)
        self.workers.current = new
        time.sleep(self.rng.uniform(*FROZEN_S))
        woken_s = time.monotonic()
        old.send(signal.SIGCONT)
        self._watch(old, woken_s)
        return result

    def _watch(self, woken: Worker, woken_s: float) -> None:
        while woken.encoders() and time.monotonic() < woken_s + ENCODER_S_MAX:
            time.sleep(0.05)
        if woken.encoders():
            self.problems.append(f"{woken.worker_id} lost its claim, but its encoder is still running")
        time.sleep(OBSERVED_S)
        for write in woken.store.writes:
            if write.began_at_s > woken_s:
                self.problems.append(f"{woken.worker_id} wrote after it was replaced: {write.method} {write.path}")
        self._drain(woken)

    def _drain(self, worker: Worker) -> None:
        status = worker.drain()
        if status != 0:
            self.problems.append(f"{worker.worker_id} did not end after SIGTERM: status {status}")

    def _recovered(self, kind: Kind, began_s: float, before: str) -> EventResult:
        arrival = self.follower.wait_for_new(began_s, RECOVERED_S_MAX, not_of=before)
        return EventResult(kind, began_s, arrival.at_s - began_s if arrival else None)
