"""A private platform for long runs, and an operator who starts `stream-1`."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local import report
from infra.local.processes.supervision import PARTS
from infra.local.setup.seed import ADMIN_EMAIL, ADMIN_PASSWORD, STREAM_ID
from tests.faults.harness.answer_log import AnswerLog
from tests.faults.harness.api_client import Account, Answer, ApiClient
from tests.faults.harness.terms import LeaseTerms
from tests.fixtures.stack import Stack, new_stack
from tests.fixtures.waiting import wait_for

LIVE_S_MAX = 60.0
PASSWORD = "a viewer's password"
# At this rate no lease costs a whole number of millipoints, so every rounding shows.
TERMS = LeaseTerms(stream_id=STREAM_ID, rate_millipoints_per_minute=61_117, lease_ms=5_000)


class Operator(ApiClient):
    """A client with an operator's login: it adds viewers, tops up wallets and starts the stream."""

    def __init__(self, url: str, account: Account | None = None) -> None:
        self.url = url
        self.account = account or Account(url, ADMIN_EMAIL, ADMIN_PASSWORD)
        super().__init__(url, self.account)

    def do(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request that has to succeed."""
        answer = self.send(method, path, body)
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer

    def go_live(self) -> None:
        """Start the test pattern in the smallest rendition at `TERMS`, and wait until it is live."""
        settings = {
            "ingest": {"mode": "test"},
            "abr_profile": "sd",
            "segment_seconds": 1,
            "lease_ms": TERMS.lease_ms,
            "rate_millipoints_per_minute": TERMS.rate_millipoints_per_minute,
        }
        before = self.do("PATCH", f"/streams/{STREAM_ID}", settings).document
        if before["desired_state"] != "live":
            # The state stays live until the worker has released the stream.
            wait_for("released stream", lambda: self.state() == "stopped", LIVE_S_MAX)
        self.do("POST", f"/streams/{STREAM_ID}/state", {"state": "live"})
        wait_for("live stream", self.is_live, LIVE_S_MAX)

    def stop_stream(self) -> None:
        self.do("POST", f"/streams/{STREAM_ID}/state", {"state": "stopped"})

    def is_live(self) -> bool:
        return self.state() == "live"

    def state(self) -> str:
        """Return the state in the runtime of the stream."""
        return str(self.do("GET", f"/streams/{STREAM_ID}/runtime").document["state"])

    def viewer(self, millipoints: int) -> tuple[Account, AnswerLog]:
        """Add a viewer with this balance. Returns their login and the log of their answers."""
        email = f"{uuid.uuid4()}@local"
        user_id = self.do("POST", "/users", {"email": email, "password": PASSWORD}).document["user_id"]
        answers = AnswerLog(user_id)
        answers.record_payment_sent(f"opening-{user_id}", millipoints)
        body = {"millipoints": millipoints, "payment_id": f"opening-{user_id}"}
        answers.record_payment(f"opening-{user_id}", self.do("POST", f"/wallets/{user_id}/credit", body))
        return Account(self.url, email, PASSWORD), answers


@contextmanager
def private_stack(sessions_per_user_max: int, **environ: str) -> Iterator[Stack]:
    """Run a platform on free ports in a temporary directory. Its logs are printed if the block raises.

    `environ` adds settings.
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
    """Run `make up` for it, also after it was killed."""
    done = stack.command("up", TOLLCAST_SESSIONS_PER_USER_MAX=str(sessions_per_user_max), **environ)
    if done.returncode:
        raise RuntimeError(f"the platform did not start:\n{done.stdout}{done.stderr}")
