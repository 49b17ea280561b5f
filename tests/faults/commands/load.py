"""Send heartbeats for one wallet from many threads.

The threads send the same, an older or the next seq as fast as they are answered, so duplicates, replays and races are
frequent. Meanwhile payments are sent, some repeatedly, and sessions stop and start. The balance is sometimes 0.
Afterwards the ledger is compared with every answer. The status is 0 if there is no violation.
"""

import math
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from tests.faults.harness.answer_log import AnswerLog
from tests.faults.harness.api_client import Account, Answer, ApiClient, NoAnswer
from tests.faults.harness.command_line import add_minutes, command_parser, print_start
from tests.faults.harness.private_stack import TERMS, Operator, private_stack
from tests.faults.harness.threads import Threads
from tests.faults.oracle.wallet_check import Findings, WalletCheck

PAYERS, STARTERS = 2, 2
# A session costs 1019 millipoints a second and payments add less, so that the balance is sometimes 0.
OPENING_PER_SESSION = 10_000
PAID_PER_SESSION_S = 950
JOIN_S_MAX = 120.0


@dataclass
class Slot:
    """A parallel session (`session_id` may be empty), with its newest seq and the time of its next beat."""

    session_id: str = ""
    seq: int = 0
    due_at_s: float = 0.0


@dataclass
class Load:
    """A run and its counts."""

    url: str
    account: Account
    operator: Account
    answers: AnswerLog
    slots: list[Slot]
    ends_at_s: float
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: threading.Event = field(default_factory=threading.Event)

    def running(self) -> bool:
        return not self.stopped.is_set() and time.monotonic() < self.ends_at_s

    def send_beats(self, client: ApiClient, rng: random.Random) -> None:
        """Send heartbeats without a pause."""
        while self.running():
            slot = rng.choice(self.slots)
            session_id, known = slot.session_id, slot.seq
            if not session_id:
                self.stopped.wait(0.01)
                continue
            # Half of the beats have the next seq, so that threads race for the same lease.
            seq = rng.choice([known + 1, known + 1, known, rng.randint(1, known)])
            self.answers.record_beat_sent(session_id, seq)
            try:
                answer = client.send_once("POST", "/playback/heartbeat", {"session_id": session_id, "seq": seq})
            except NoAnswer as error:
                self._count(self.refused, f"no answer: {error}")
                continue
            self._record_beat(slot, session_id, seq, answer)

    def _record_beat(self, slot: Slot, session_id: str, seq: int, answer: Answer) -> None:
        with self.lock:
            self.latencies_s.append(answer.took_s)
        if answer.status == 200:
            self._count(self.outcomes, answer.document["outcome"])
            self.answers.record_beat(answer, seq)
        else:
            self._count(self.refused, f"{answer.status} {answer.code}")
        with self.lock:
            if slot.session_id != session_id:
                return
            if answer.status == 200:
                slot.seq = max(slot.seq, answer.document["seq"])
                slot.due_at_s = time.monotonic() + answer.document["next_beat_in_ms"] / 1000
            elif answer.is_final:
                slot.session_id = ""

    def start_and_stop(self, client: ApiClient, rng: random.Random) -> None:
        """Start missing sessions, sometimes twice with the same key, and stop some."""
        while self.running():
            slot = rng.choice(self.slots)
            session_id = slot.session_id
            if not session_id:
                self._start(client, slot, f"{rng.getrandbits(128):032x}", twice=rng.random() < 0.3)
            elif rng.random() < 0.2:
                # Stop when the next lease is due, so that the end races with the beats.
                self.stopped.wait(max(0.0, slot.due_at_s - time.monotonic() - rng.uniform(0.0, 0.5)))
                answer = client.send("POST", "/playback/stop", {"session_id": session_id})
                self._count(self.others, f"stop {answer.code}")
                if answer.status == 200:
                    self.answers.record_end(answer)
            self.stopped.wait(rng.uniform(0.05, 0.3))

    def _start(self, client: ApiClient, slot: Slot, key: str, *, twice: bool) -> None:
        for _ in range(1 + twice):
            body = {"stream_id": TERMS.stream_id, "idempotency_key": key}
            answer = client.send("POST", "/playback/start", body)
            outcome = answer.document.get("outcome") if answer.status == 201 else answer.code
            self._count(self.others, f"start {outcome}")
            if answer.status != 201:
                return
            self.answers.record_beat(answer)
            with self.lock:
                if outcome != "replay":
                    slot.session_id, slot.seq = answer.document["session_id"], answer.document["seq"]

    def send_payments(self, client: ApiClient, rng: random.Random) -> None:
        """Send payments, and repeat some: unchanged (no effect), or with another amount (refused)."""
        path, paid_at = f"/wallets/{self.answers.user_id}/credit", time.monotonic()
        while self.running():
            known = sorted(self.answers.payments.items())
            again = rng.random() < 0.4
            if again:
                payment_id, millipoints = rng.choice(known)
            else:
                due = (time.monotonic() - paid_at) * PAID_PER_SESSION_S * len(self.slots) / PAYERS
                payment_id, millipoints = f"{rng.getrandbits(64):x}", 1 + round(due * rng.uniform(0, 2))
                paid_at = time.monotonic()
            wrong = again and rng.random() < 0.3
            self.answers.record_payment_sent(payment_id, millipoints)
            answer = client.send("POST", path, {"millipoints": millipoints + wrong, "payment_id": payment_id})
            self._count(self.others, f"payment {'again ' if again else ''}{answer.code}")
            if wrong and answer.status == 200:
                self.answers.record_violation(f"payment {payment_id} was taken with two amounts")
            elif answer.status == 200:
                self.answers.record_payment(payment_id, answer)
            self.stopped.wait(rng.uniform(0.2, 0.8))

    def read_wallet(self, client: ApiClient, _: random.Random) -> None:
        """Read the wallet and the statement while they change."""
        version = 0
        while self.running():
            self.answers.record_wallet(client.send("GET", "/me/wallet"))
            part = client.send("GET", f"/me/ledger/export?after_version={version}")
            if part.status != 200:
                self.answers.record_violation(f"no statement: {part}")
            else:
                self.answers.record_state(part.document["closing"])
                version = part.document["closing"]["version"]
            self.stopped.wait(0.5)

    def _count(self, counter: Counter[str], what: str) -> None:
        with self.lock:
            counter[what] += 1

    def run(self, threads: int, seed: int) -> None:
        """Run all threads to their end. Raises the first error of a thread."""
        works = [self.send_beats] * threads + [self.start_and_stop] * STARTERS + [self.send_payments] * PAYERS
        tasks = [
            partial(self._work, work, random.Random(f"{seed}.{n}")) for n, work in enumerate([*works, self.read_wallet])
        ]
        Threads(tasks, self.stopped).join(self.ends_at_s - time.monotonic() + JOIN_S_MAX)

    def _work(self, work: Callable[[ApiClient, random.Random], None], rng: random.Random) -> None:
        with ApiClient(self.url, self.operator if work == self.send_payments else self.account) as client:
            work(client, rng)


def load(operator: Operator, *, seconds: float, threads: int, sessions: int, seed: int) -> tuple[Load, Findings]:
    """Run against a platform with a live stream, and check the wallet afterwards."""
    account, answers = operator.viewer(OPENING_PER_SESSION * sessions)
    run = Load(
        url=operator.url,
        account=account,
        operator=operator.account,
        answers=answers,
        slots=[Slot() for _ in range(sessions)],
        ends_at_s=time.monotonic() + seconds,
    )
    run.run(threads, seed)
    with ApiClient(operator.url, account) as client:
        # Half of the sessions end before the check, so that it covers both cases.
        for slot in run.slots[::2]:
            if slot.session_id:
                answer = client.send("POST", "/playback/stop", {"session_id": slot.session_id})
                if answer.status == 200:
                    answers.record_end(answer)
        return run, WalletCheck(client, answers, TERMS).run()


def percentile_ms(values_s: Iterable[float], percent: float) -> float:
    """Return the percentile in milliseconds."""
    ordered = sorted(values_s)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] * 1000 if ordered else math.nan


def report_lines(run: Load, findings: Findings, seconds: float) -> list[str]:
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
    parser = command_parser("make load", __doc__)
    add_minutes(parser, 1.0, least=0.1)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--sessions", type=int, default=8, choices=range(1, 17))
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    print_start(arguments.seed)
    with private_stack(arguments.sessions) as stack, Operator(stack.url) as operator:
        operator.go_live()
        run, findings = load(
            operator, seconds=seconds, threads=arguments.threads, sessions=arguments.sessions, seed=arguments.seed
        )
        print("\n".join(report_lines(run, findings, seconds)), flush=True)
    return 1 if findings.violations else 0


if __name__ == "__main__":
    sys.exit(main())
