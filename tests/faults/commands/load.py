"""Money under load: `python -m tests.faults.commands.load [--seconds 60] [--threads 64] [--sessions 8] [--seed N]`.

One viewer, several sessions on one wallet, and many threads that beat through nginx, gunicorn and the emulator with the
same, an older or the next seq, as fast as they are answered: duplicates, replays and races are the norm. Meanwhile
payments come, some of them again and again, and sessions are stopped and started. The wallet runs dry now and then.
Afterwards the ledger is held against every answer. Status 0 if nothing was wrong.
"""

import argparse
import math
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.faults.harness.answer_log import Told
from tests.faults.harness.api_client import Account, Answer, Caller, NoAnswer
from tests.faults.harness.private_stack import TERMS, Operator, private_stack, seed_of
from tests.faults.oracle.wallet_check import Audit, Findings

PAYERS, KEEPERS = 2, 2
# So little that the wallet runs dry now and then: a session costs 1019 millipoints a second, and payments bring less.
OPENING_PER_SESSION = 10_000
PAID_PER_SESSION_S = 950
JOIN_S_MAX = 120.0


@dataclass
class Slot:
    """A place for one session: its id ('' while there is none), the newest seq that was told, and when to come back."""

    session_id: str = ""
    seq: int = 0
    due: float = 0.0


@dataclass
class Load:
    """One run: who beats, on what, until when; and what came of it."""

    url: str
    account: Account
    operator: Account
    told: Told
    slots: list[Slot]
    until: float
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def running(self) -> bool:
        """Whether there is time left."""
        return not self.over.is_set() and time.monotonic() < self.until

    def beater(self, caller: Caller, rng: random.Random) -> None:
        """Beats without a pause."""
        while self.running():
            slot = rng.choice(self.slots)
            session_id, known = slot.session_id, slot.seq
            if not session_id:
                self.over.wait(0.01)
                continue
            # The next seq in half of all beats: many threads at once then race for the same lease.
            seq = rng.choice([known + 1, known + 1, known, rng.randint(1, known)])
            self.told.asks(session_id, seq)
            try:
                answer = caller.once("POST", "/playback/heartbeat", {"session_id": session_id, "seq": seq})
            except NoAnswer as error:
                self._count(self.refused, f"no answer: {error}")
                continue
            self._beaten(slot, session_id, seq, answer)

    def _beaten(self, slot: Slot, session_id: str, seq: int, answer: Answer) -> None:
        with self.lock:
            self.latencies_s.append(answer.took_s)
        if answer.status == 200:
            self._count(self.outcomes, answer.document["outcome"])
            self.told.beat(answer, seq)
        else:
            self._count(self.refused, f"{answer.status} {answer.code}")
        with self.lock:
            if slot.session_id != session_id:
                return
            if answer.status == 200:
                slot.seq = max(slot.seq, answer.document["seq"])
                slot.due = time.monotonic() + answer.document["next_beat_in_ms"] / 1000
            elif answer.definite:
                slot.session_id = ""

    def keeper(self, caller: Caller, rng: random.Random) -> None:
        """Starts sessions where one is missing, twice with the same key now and then, and stops some."""
        while self.running():
            slot = rng.choice(self.slots)
            session_id = slot.session_id
            if not session_id:
                self._start(caller, slot, f"{rng.getrandbits(128):032x}", twice=rng.random() < 0.3)
            elif rng.random() < 0.2:
                # Just when the next lease is due, so that the end races the beats that want to buy it.
                self.over.wait(max(0.0, slot.due - time.monotonic() - rng.uniform(0.0, 0.5)))
                answer = caller.sure("POST", "/playback/stop", {"session_id": session_id})
                self._count(self.others, f"stop {answer.code}")
                if answer.status == 200:
                    self.told.end(answer)
            self.over.wait(rng.uniform(0.05, 0.3))

    def _start(self, caller: Caller, slot: Slot, key: str, *, twice: bool) -> None:
        for _ in range(1 + twice):
            body = {"stream_id": TERMS.stream_id, "idempotency_key": key}
            answer = caller.sure("POST", "/playback/start", body)
            outcome = answer.document.get("outcome") if answer.status == 201 else answer.code
            self._count(self.others, f"start {outcome}")
            if answer.status != 201:
                return
            self.told.beat(answer)
            with self.lock:
                if outcome != "replay":
                    slot.session_id, slot.seq = answer.document["session_id"], answer.document["seq"]

    def payer(self, caller: Caller, rng: random.Random) -> None:
        """Pays, and sends payments of before again: the same (nothing happens), or with another amount (refused)."""
        path, paid_at = f"/wallets/{self.told.user_id}/credit", time.monotonic()
        while self.running():
            known = sorted(self.told.payments.items())
            again = rng.random() < 0.4
            if again:
                payment_id, millipoints = rng.choice(known)
            else:
                due = (time.monotonic() - paid_at) * PAID_PER_SESSION_S * len(self.slots) / PAYERS
                payment_id, millipoints = f"{rng.getrandbits(64):x}", 1 + round(due * rng.uniform(0, 2))
                paid_at = time.monotonic()
            wrong = again and rng.random() < 0.3
            self.told.pays(payment_id, millipoints)
            answer = caller.sure("POST", path, {"millipoints": millipoints + wrong, "payment_id": payment_id})
            self._count(self.others, f"payment {'again ' if again else ''}{answer.code}")
            if wrong and answer.status == 200:
                self.told.wrong(f"payment {payment_id} was taken with two amounts")
            elif answer.status == 200:
                self.told.paid(payment_id, answer)
            self.over.wait(rng.uniform(0.2, 0.8))

    def reader(self, caller: Caller, _: random.Random) -> None:
        """Reads wallet and statement while they change: both must be right at every moment."""
        version = 0
        while self.running():
            self.told.wallet(caller.sure("GET", "/me/wallet"))
            part = caller.sure("GET", f"/me/ledger/export?after_version={version}")
            if part.status != 200:
                self.told.wrong(f"no statement: {part}")
            else:
                self.told.state(part.document["closing"])
                version = part.document["closing"]["version"]
            self.over.wait(0.5)

    def _count(self, counter: Counter[str], what: str) -> None:
        with self.lock:
            counter[what] += 1

    def run(self, threads: int, seed: int) -> None:
        """All threads, to their end. Raises what one of them raised."""
        failures: list[BaseException] = []

        def guarded(work: Callable[[Caller, random.Random], None], number: int) -> None:
            try:
                with Caller(self.url, self.operator if work == self.payer else self.account) as caller:
                    work(caller, random.Random(f"{seed}.{number}"))
            except BaseException as error:
                failures.append(error)
                self.over.set()

        works = [self.beater] * threads + [self.keeper] * KEEPERS + [self.payer] * PAYERS + [self.reader]
        running = [threading.Thread(target=guarded, args=(work, n), daemon=True) for n, work in enumerate(works)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(max(0.0, self.until - time.monotonic()) + JOIN_S_MAX)
        if failures:
            raise failures[0]
        assert not any(thread.is_alive() for thread in running), "a thread found no end"


def load(operator: Operator, *, seconds: float, threads: int, sessions: int, seed: int) -> tuple[Load, Findings]:
    """Run it against a platform with a live stream, and audit the wallet afterwards."""
    account, told = operator.viewer(OPENING_PER_SESSION * sessions)
    run = Load(
        url=operator.url,
        account=account,
        operator=operator.account,
        told=told,
        slots=[Slot() for _ in range(sessions)],
        until=time.monotonic() + seconds,
    )
    run.run(threads, seed)
    with Caller(operator.url, account) as caller:
        # Half of the sessions end before the audit, so that it sees both.
        for slot in run.slots[::2]:
            if slot.session_id:
                answer = caller.sure("POST", "/playback/stop", {"session_id": slot.session_id})
                if answer.status == 200:
                    told.end(answer)
        return run, Audit(caller, told, TERMS).run()


def percentile_ms(values_s: Iterable[float], percent: float) -> float:
    """The value in milliseconds that so many percent of the values do not exceed."""
    ordered = sorted(values_s)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] * 1000 if ordered else math.nan


def described(run: Load, findings: Findings, seconds: float) -> list[str]:
    """The report for people."""
    beats = len(run.latencies_s)
    took = ", ".join(f"p{p} {percentile_ms(run.latencies_s, p):.0f}" for p in (50, 95, 99))
    requests = beats + sum(run.others.values())
    return [
        f"beats {beats}: {dict(run.outcomes.most_common())}",
        f"beats refused {sum(run.refused.values())}: {dict(run.refused.most_common())}",
        f"others: {dict(run.others.most_common())}",
        f"requests {requests / seconds:.0f}/s, beats {beats / seconds:.0f}/s; beats took {took} ms",
        *findings.report(),
    ]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--sessions", type=int, default=8, choices=range(1, 17))
    parser.add_argument("--seed")
    asked = parser.parse_args()
    seed = seed_of(asked.seed)
    print(f"seed {seed}, {os.cpu_count()} processors with a load of {os.getloadavg()[0]:.1f} before", flush=True)
    with private_stack(asked.sessions) as stack, Operator(stack.url) as operator:
        operator.go_live()
        run, findings = load(operator, seconds=asked.seconds, threads=asked.threads, sessions=asked.sessions, seed=seed)
        print("\n".join(described(run, findings, asked.seconds)), flush=True)
    return 1 if findings.violations else 0


if __name__ == "__main__":
    sys.exit(main())
