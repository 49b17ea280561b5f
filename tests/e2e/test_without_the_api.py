"""The API stops while viewers watch: paid media plays to its end, then nothing is served, and all recovers.

The API is stopped for some seconds, or for a minute with API_GONE_S=60.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from chalicelib.domain.money.lease import GRACE_MS
from infra.local.processes.supervision import Supervisor
from tests.e2e.conftest import STREAM_ID, Platform, Viewer
from tests.e2e.test_main_job import fetch, play, start
from tests.fixtures.waiting import wait_for

API_GONE_S = float(os.environ.get("API_GONE_S", "14"))
# Between the end of the paid time and the refusal are the grace and the time of an answer.
LATE_S = GRACE_MS / 1000 + 0.5


@dataclass
class Media:
    """The results of polling a playlist of a session, by the wall clock."""

    served_at_s: list[float] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)

    def look(self, platform: Platform, session: dict[str, Any]) -> None:
        answer = fetch(platform, session["session_id"], session["play_token"])
        if answer.status_code == 200:
            self.served_at_s.append(time.time())
        else:
            self.refusals.append((answer.status_code, answer.json()["code"]))


@pytest.fixture
def api(platform: Platform) -> Iterator[Supervisor]:
    """The supervisor, for stopping the API. Afterwards the API runs again."""
    supervisor = Supervisor(platform.stack.layout)
    yield supervisor
    supervisor.start_part("api")
    wait_for("API", lambda: answers(platform))


def answers(platform: Platform) -> bool:
    return platform.http.get("/healthz").status_code == 200


@pytest.mark.timeout(API_GONE_S + 120)
def test_paid_media_is_served_without_the_api_and_nothing_else(
    platform: Platform, api: Supervisor, viewer: Callable[[int], Viewer], tmp_path_factory: pytest.TempPathFactory
) -> None:
    watching, silent = viewer(1_000_000), platform.viewer(1_000_000, tmp_path_factory.mktemp("silent"))
    headers = silent.headers
    playback = play(watching)
    session, media = start(platform, silent), Media()
    media.look(platform, session)
    assert media.served_at_s, "nothing is served even with an API"

    api.stop_parts(["api"])
    stopped_at_s = time.time()

    def is_over() -> bool:
        # The silent session's lease may end before the player's.
        media.look(platform, session)
        return playback.process.poll() is not None

    wait_for("end of the pictures", is_over, 30)
    while time.time() < stopped_at_s + API_GONE_S:
        media.look(platform, session)
        time.sleep(0.05)
    refused = platform.http.post("/playback/start", json={"stream_id": STREAM_ID}, headers=headers)
    assert refused.status_code in (502, 503), refused.text
    back_at_s = time.time()
    api.start_part("api")
    wait_for("API", lambda: answers(platform))

    paid_until_s = session["paid_until_ms"] / 1000
    check_silent(media, paid_until_s)
    check_watching(platform, watching, playback.finish(), back_at_s)
    # The next start works, and both wallets are correct.
    assert platform.http.post("/playback/start", json={"stream_id": STREAM_ID}, headers=headers).status_code == 201
    for person in (watching, silent):
        person.check_ledger()


def check_silent(media: Media, paid_until_s: float) -> None:
    """Assert that fetches succeed until the end of the lease, and are refused after the grace."""
    last_s = media.served_at_s[-1]
    assert paid_until_s - 0.5 < last_s < paid_until_s + LATE_S
    assert set(media.refusals) == {(402, "lease_expired")}


def check_watching(platform: Platform, person: Viewer, finished: tuple[int, dict[str, Any]], back_at_s: float) -> None:
    """Assert that the player ended with its paid time, and that the gateway served nothing later."""
    exit_status, receipt = finished
    assert (exit_status, receipt["end_reason"]) == (6, "lease_expired")
    [lived] = person.sessions()
    leases = [line for line in person.ledger() if line["kind"] == "lease"]
    paid_until_s = (lived["started_at_ms"] + sum(-line["delta_millipoints"] for line in leases)) / 1000
    lines = [json.loads(line) for line in platform.stack.log("access").splitlines() if lived["session_id"] in line]
    served = [line for line in lines if line["session"] == lived["session_id"] and line["status"] < 300]
    assert served
    unpaid = [line for line in served if paid_until_s + LATE_S + 1 < at_s(line) < back_at_s]
    assert not unpaid


def at_s(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["at"]).timestamp()
