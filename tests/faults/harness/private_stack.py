"""A platform of one's own for a proof under load, with an operator who puts `stream-1` live."""

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local import report
from infra.local.seed import ADMIN_EMAIL, ADMIN_PASSWORD, STREAM_ID
from infra.local.supervision import PARTS
from tests.faults.harness.answer_log import Told
from tests.faults.harness.api_client import Account, Answer, Caller
from tests.faults.harness.terms import Terms
from tests.fixtures.stack import Stack, new_stack

LIVE_S_MAX = 60.0
PASSWORD = "a viewer's password"
# A rate at which no lease costs a whole number of millipoints, so that every rounding shows.
TERMS = Terms(stream_id=STREAM_ID, rate_millipoints_per_minute=61_117, lease_ms=5_000)


def wait_for(what: str, condition: Callable[[], Any], timeout_s: float) -> Any:
    """Ask until the answer is true; fails naming what never came."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"within {timeout_s:.0f} s there was no {what}")
        time.sleep(0.05)
    return found


class Operator:
    """Whoever runs the platform: makes viewers, puts the stream live, gives money."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.account = Account(url, ADMIN_EMAIL, ADMIN_PASSWORD)
        self._caller = Caller(url, self.account)

    def __enter__(self) -> "Operator":
        return self

    def __exit__(self, *_: object) -> None:
        self._caller.close()

    def do(self, method: str, path: str, body: Any = None) -> Answer:
        """A request that must succeed."""
        answer = self._caller.sure(method, path, body)
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer

    def go_live(self) -> None:
        """Put the test pattern live, in the smallest rendition and at `TERMS`, and wait until it is."""
        settings = {
            "ingest": {"mode": "test"},
            "abr_profile": "sd",
            "segment_seconds": 1,
            "lease_ms": TERMS.lease_ms,
            "rate_millipoints_per_minute": TERMS.rate_millipoints_per_minute,
        }
        before = self.do("PATCH", f"/streams/{STREAM_ID}", settings).document
        if before["desired_state"] != "live":
            # A worker that has not yet let go of it still says live.
            wait_for("worker that has let go", lambda: self.state() == "stopped", LIVE_S_MAX)
        self.do("POST", f"/streams/{STREAM_ID}/state", {"state": "live"})
        wait_for("live stream", self.is_live, LIVE_S_MAX)

    def stop_stream(self) -> None:
        """Leave the stream as it was found."""
        self.do("POST", f"/streams/{STREAM_ID}/state", {"state": "stopped"})

    def is_live(self) -> bool:
        """Whether the stream reaches viewers."""
        return self.state() == "live"

    def state(self) -> str:
        """What really happens with the stream."""
        return str(self.do("GET", f"/streams/{STREAM_ID}/runtime").document["state"])

    def viewer(self, millipoints: int) -> tuple[Account, Told]:
        """A new viewer with so much money, and the record of what they are told."""
        email = f"{uuid.uuid4()}@local"
        user_id = self.do("POST", "/users", {"email": email, "password": PASSWORD}).document["user_id"]
        told = Told(user_id)
        told.pays(f"opening-{user_id}", millipoints)
        body = {"millipoints": millipoints, "payment_id": f"opening-{user_id}"}
        told.paid(f"opening-{user_id}", self.do("POST", f"/wallets/{user_id}/credit", body))
        return Account(self.url, email, PASSWORD), told


@contextmanager
def private_stack(sessions_per_user_max: int, **environ: str) -> Iterator[Stack]:
    """A platform on free ports with a temporary state directory; its logs are shown if the block fails.

    `environ` has more of its settings.
    """
    with tempfile.TemporaryDirectory(prefix="tollcast-load-") as directory:
        stack = new_stack(Path(directory))
        try:
            bring_up(stack, sessions_per_user_max, **environ)
            yield stack
        except BaseException:
            for part in (*PARTS, "supervisord"):
                print(report.tail(stack.layout, part))
            raise
        finally:
            stack.command("down")


def bring_up(stack: Stack, sessions_per_user_max: int, **environ: str) -> None:
    """`make up` for it, also again after it was killed."""
    done = stack.command("up", TOLLCAST_SESSIONS_PER_USER_MAX=str(sessions_per_user_max), **environ)
    if done.returncode:
        raise RuntimeError(f"the platform did not start:\n{done.stdout}{done.stderr}")


def seed_of(text: str | None) -> int:
    """The seed that was asked for, else a new one."""
    return int.from_bytes(os.urandom(4)) if text is None else int(text)
