"""What is done to the pipeline, and how one sees that it goes on."""

import os
import random
import signal
import time
from dataclasses import dataclass, field

from tests.chaos.follower import Follower
from tests.chaos.plan import Kind
from tests.chaos.workers import Worker, Workers

RECOVERED_S_MAX = 90.0
# A worker that woke looks at its claim at once; so long it is watched afterwards.
WATCHED_S = 5.0
ASLEEP_S = (1.0, 4.0)
ENCODER_S_MAX = 15.0


@dataclass(frozen=True)
class Happened:
    """An event, by the monotonic clock. `recovered_s`: from the kill (or the fault's end) to the next new segment."""

    kind: Kind
    began_at_s: float
    recovered_s: float | None


@dataclass
class Scene:
    """The stream under attack; `problems` are what workers did that they must not."""

    workers: Workers
    follower: Follower
    rng: random.Random
    uploads_fail_s: float
    problems: list[str] = field(default_factory=list)

    def happen(self, kind: Kind) -> Happened:
        """Do it, and wait until viewers get something new."""
        work = {
            Kind.ENCODER: self._kill_encoder,
            Kind.WORKER: self._kill_worker,
            Kind.HAND_OVER: self._hand_over,
            Kind.UPLOADS: self._fail_uploads,
            Kind.FREEZE: self._freeze,
        }[kind]
        happened = work()
        if happened.recovered_s is None:
            self.problems.append(f"{kind}: no new segment within {RECOVERED_S_MAX:.0f} s")
        return happened

    def _kill_encoder(self) -> Happened:
        before, began_s = self.follower.run, time.monotonic()
        for pid in self.workers.current.encoders():
            os.kill(pid, signal.SIGKILL)
        return self._recovered(Kind.ENCODER, began_s, before)

    def _kill_worker(self) -> Happened:
        """It is started again at once, as whatever supervises it does."""
        before, began_s = self.follower.run, time.monotonic()
        self.workers.current.kill()
        self.workers.current.start()
        return self._recovered(Kind.WORKER, began_s, before)

    def _hand_over(self) -> Happened:
        old, new = self.workers.current, self.workers.start()
        before, began_s = self.follower.run, time.monotonic()
        self._drain(old)
        self.workers.current = new
        return self._recovered(Kind.HAND_OVER, began_s, before)

    def _fail_uploads(self) -> Happened:
        """The same encoder and the same worker all along: a store that takes nothing is no reason to restart them."""
        store, began_s = self.workers.current.store, time.monotonic()
        store.failing = True
        time.sleep(self.uploads_fail_s)
        store.failing = False
        ended_s = time.monotonic()
        arrival = self.follower.wait_for_new(ended_s, RECOVERED_S_MAX)
        return Happened(Kind.UPLOADS, began_s, arrival.at_s - ended_s if arrival else None)

    def _freeze(self) -> Happened:
        """Its encoder runs on, so there is much that it could publish when it wakes."""
        old, new = self.workers.current, self.workers.start()
        before, began_s = self.follower.run, time.monotonic()
        old.send(signal.SIGSTOP)
        happened = self._recovered(Kind.FREEZE, began_s, before)
        self.workers.current = new
        time.sleep(self.rng.uniform(*ASLEEP_S))
        woken_s = time.monotonic()
        old.send(signal.SIGCONT)
        self._watch(old, woken_s)
        return happened

    def _watch(self, woken: Worker, woken_s: float) -> None:
        while woken.encoders() and time.monotonic() < woken_s + ENCODER_S_MAX:
            time.sleep(0.05)
        if woken.encoders():
            self.problems.append(f"{woken.worker_id} lost its claim, and its encoder runs on")
        time.sleep(WATCHED_S)
        for write in woken.store.writes:
            if write.began_at_s > woken_s:
                self.problems.append(f"{woken.worker_id} woke after it was replaced: {write.method} {write.path}")
        self._drain(woken)

    def _drain(self, worker: Worker) -> None:
        status = worker.drain()
        if status != 0:
            self.problems.append(f"{worker.worker_id} did not end well after SIGTERM: status {status}")

    def _recovered(self, kind: Kind, began_s: float, before: str) -> Happened:
        arrival = self.follower.wait_for_new(began_s, RECOVERED_S_MAX, not_of=before)
        return Happened(kind, began_s, arrival.at_s - began_s if arrival else None)
