"""Clients that watch and pay. They repeat unanswered requests with the same seq, key and payment id."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.harness.answer_log import AnswerLog
from tests.faults.harness.api_client import Account, ApiClient, NoAnswer
from tests.faults.harness.private_stack import TERMS

# A platform whose supervisord was killed is unavailable until `make up` has finished.
PATIENCE_S = 180.0
PAUSE_S_MAX = 0.2


@dataclass
class ViewerClients:
    """The clients of one viewer: some watch, and one pays and restarts sessions."""

    url: str
    account: Account
    operator: Account
    answers: AnswerLog
    stopped: threading.Event
    done: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, rng: random.Random) -> None:
        """Watch sessions of a random length, one after another."""
        with self._client(self.account) as client:
            while not self.stopped.is_set():
                self._run_session(client, rng, beats=rng.randint(1, 12))

    def pay_and_restart(self, rng: random.Random) -> None:
        """Send payments, some twice, and open short sessions."""
        with self._client(self.operator) as payer, self._client(self.account) as client:
            while not self.stopped.is_set():
                self._pay(payer, rng)
                if rng.random() < 0.15:
                    self._run_session(client, rng, beats=0)
                if rng.random() < 0.2:
                    self.answers.record_wallet(client.send("GET", "/me/wallet"))
                self.stopped.wait(rng.uniform(0.0, PAUSE_S_MAX))

    @contextmanager
    def _client(self, account: Account) -> Iterator[ApiClient]:
        """Open a client. Its retries are counted at the end."""
        with ApiClient(self.url, account, PATIENCE_S) as client:
            try:
                yield client
            finally:
                with self.lock:
                    self.retries.update(client.retries)

    def _pay(self, payer: ApiClient, rng: random.Random) -> None:
        """Send a top-up or a withdrawal, sometimes twice."""
        payment_id, millipoints = f"{rng.getrandbits(64):x}", rng.choice([1_000, 2_345, 777, -333])
        body = {"millipoints": millipoints, "payment_id": payment_id}
        self.answers.record_payment_sent(payment_id, millipoints)
        for _ in range(1 + (rng.random() < 0.2)):
            answer = payer.send("POST", f"/wallets/{self.answers.user_id}/credit", body)
            if answer.status == 200:
                self.answers.record_payment(payment_id, answer)
            else:
                self.answers.record_violation(f"payment {payment_id} was refused: {answer}")
            self._count("payments")

    def _run_session(self, client: ApiClient, rng: random.Random, beats: int) -> None:
        """Start a session, send beats, fetch playlists, and stop it."""
        body = {"stream_id": TERMS.stream_id, "idempotency_key": f"{rng.getrandbits(128):032x}"}
        answer = client.send("POST", "/playback/start", body)
        if answer.status != 201:
            # Starts are refused while the stream is down.
            if answer.code != "stream_not_live":
                self.answers.record_violation(f"a start was refused: {answer}")
            self.stopped.wait(0.5)
            return
        self.answers.record_beat(answer)
        self._count("starts")
        session_id, seq, token = answer.document["session_id"], answer.document["seq"], answer.document["play_token"]
        for _ in range(beats):
            if self.stopped.wait(answer.document["next_beat_in_ms"] / 1000):
                break
            self.answers.record_beat_sent(session_id, seq + 1)
            answer = client.send("POST", "/playback/heartbeat", {"session_id": session_id, "seq": seq + 1})
            if answer.status != 200:
                self.answers.record_violation(f"a session ended without a stop: {answer}")
                return
            self.answers.record_beat(answer, seq + 1)
            seq, token = answer.document["seq"], answer.document["play_token"]
            self._count(f"beats {answer.document['outcome']}")
            self._count(f"playlists {self._playlist(client, session_id, token)}")
        self._stop(client, session_id, token)

    def _stop(self, client: ApiClient, session_id: str, token: str) -> None:
        answer = client.send("POST", "/playback/stop", {"session_id": session_id})
        if answer.status != 200:
            self.answers.record_violation(f"a stop was refused: {answer}")
            return
        self.answers.record_end(answer)
        self._count("stops")
        # After the answer nothing may be served.
        if self._playlist(client, session_id, token) == "200":
            self.answers.record_violation(f"{session_id} was served after its end")
        self._count("requests after the end")

    def _playlist(self, client: ApiClient, session_id: str, token: str) -> str:
        """Request a playlist once. Returns its status."""
        try:
            return str(client.request("GET", f"/play/{session_id}/index.m3u8", token=token).status)
        except NoAnswer:
            return "without answer"

    def _count(self, what: str) -> None:
        with self.lock:
            self.done[what] += 1
