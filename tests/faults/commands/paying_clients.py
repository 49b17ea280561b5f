"""Honest clients under faults: whatever is not answered is sent again, with the same seq, key and payment id."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.harness.answer_log import Told
from tests.faults.harness.api_client import Account, Caller, NoAnswer
from tests.faults.harness.private_stack import TERMS

# A platform whose supervisord was killed is away until `make up` is through.
PATIENCE_S = 180.0
PAUSE_S_MAX = 0.2


@dataclass
class Household:
    """One viewer's clients: some that watch, and one that pays, stops and starts all the time."""

    url: str
    account: Account
    operator: Account
    told: Told
    over: threading.Event
    done: Counter[str] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def works(self, watchers: int) -> list[Callable[[random.Random], None]]:
        """What its threads do."""
        return [self.watcher] * watchers + [self.busy]

    def watcher(self, rng: random.Random) -> None:
        """Watches: starts, beats when the server says so, fetches playlists; stops after some beats and starts anew."""
        with self._caller(self.account) as caller:
            while not self.over.is_set():
                self._watch(caller, rng, beats=rng.randint(1, 12))

    def busy(self, rng: random.Random) -> None:
        """Payments one after another, repeated now and then; and short sessions, so that something always happens."""
        with self._caller(self.operator) as payer, self._caller(self.account) as caller:
            while not self.over.is_set():
                self._pay(payer, rng)
                if rng.random() < 0.15:
                    self._watch(caller, rng, beats=0)
                if rng.random() < 0.2:
                    self.told.wallet(caller.sure("GET", "/me/wallet"))
                self.over.wait(rng.uniform(0.0, PAUSE_S_MAX))

    @contextmanager
    def _caller(self, account: Account) -> Iterator[Caller]:
        """A caller whose retries are counted in the end."""
        with Caller(self.url, account, PATIENCE_S) as caller:
            try:
                yield caller
            finally:
                with self.lock:
                    self.retried.update(caller.retried)

    def _pay(self, payer: Caller, rng: random.Random) -> None:
        """A top-up, or a little taken back; now and then sent once more although it was answered."""
        payment_id, millipoints = f"{rng.getrandbits(64):x}", rng.choice([1_000, 2_345, 777, -333])
        body = {"millipoints": millipoints, "payment_id": payment_id}
        self.told.pays(payment_id, millipoints)
        for _ in range(1 + (rng.random() < 0.2)):
            answer = payer.sure("POST", f"/wallets/{self.told.user_id}/credit", body)
            if answer.status == 200:
                self.told.paid(payment_id, answer)
            else:
                self.told.wrong(f"payment {payment_id} was refused: {answer}")
            self._count("payments")

    def _watch(self, caller: Caller, rng: random.Random, beats: int) -> None:
        """One session from its start to its stop."""
        body = {"stream_id": TERMS.stream_id, "idempotency_key": f"{rng.getrandbits(128):032x}"}
        answer = caller.sure("POST", "/playback/start", body)
        if answer.status != 201:
            # While the stream is away nothing is sold; a stopped session is nobody's before that.
            if answer.code != "stream_not_live":
                self.told.wrong(f"a start was refused: {answer}")
            self.over.wait(0.5)
            return
        self.told.beat(answer)
        self._count("starts")
        session_id, seq, token = answer.document["session_id"], answer.document["seq"], answer.document["play_token"]
        for _ in range(beats):
            if self.over.wait(answer.document["next_beat_in_ms"] / 1000):
                break
            self.told.asks(session_id, seq + 1)
            answer = caller.sure("POST", "/playback/heartbeat", {"session_id": session_id, "seq": seq + 1})
            if answer.status != 200:
                self.told.wrong(f"a session ended that nobody stopped: {answer}")
                return
            self.told.beat(answer, seq + 1)
            seq, token = answer.document["seq"], answer.document["play_token"]
            self._count(f"beats {answer.document['outcome']}")
            self._count(f"playlists {self._playlist(caller, session_id, token)}")
        self._stop(caller, session_id, token)

    def _stop(self, caller: Caller, session_id: str, token: str) -> None:
        answer = caller.sure("POST", "/playback/stop", {"session_id": session_id})
        if answer.status != 200:
            self.told.wrong(f"a stop was refused: {answer}")
            return
        self.told.end(answer)
        self._count("stops")
        # After the answer nothing may be served any more.
        if self._playlist(caller, session_id, token) == "200":
            self.told.wrong(f"{session_id} was served after its end")
        self._count("looks after the end")

    def _playlist(self, caller: Caller, session_id: str, token: str) -> str:
        """Asked for once: media that fails is asked for again by players."""
        try:
            return str(caller.call("GET", f"/play/{session_id}/index.m3u8", token=token).status)
        except NoAnswer:
            return "without answer"

    def _count(self, what: str) -> None:
        with self.lock:
            self.done[what] += 1
