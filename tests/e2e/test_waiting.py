"""A wallet runs out while `player play --wait` runs, and a credit of a payment service resumes the picture."""

import time
from collections.abc import Callable

from tests.e2e.conftest import Platform, Viewer
from tests.e2e.test_main_job import play
from tests.fixtures.waiting import wait_for

# It takes 1.3 s on a quiet machine, and several times as long where tests share it.
RESUME_S_MAX = 6.0


def test_a_credit_of_a_payment_service_resumes_the_picture(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    new_key = {"name": "pay", "scopes": ["credit"], "expires_in_days": 1}
    key = platform.operator("POST", "/service-keys", json=new_key)
    person = viewer(5_500)
    user_id = person.get("/me")["user_id"]
    playback = play(person, "--wait=5m")
    wait_for("end of the session", lambda: person.sessions()[0]["end_reason"] == "balance_exhausted", 40)
    wait_for("still picture", lambda: playback.mpv("get_property", "core-idle"), 40)
    (pid,), shown = playback.mpv_pids(), playback.position()
    time.sleep(2.0)
    assert playback.position() == shown and len(person.sessions()) == 1, "nothing is bought"

    asked_at = time.monotonic()
    answer = platform.http.post(
        f"/wallets/{user_id}/credit",
        json={"millipoints": 30_000, "payment_id": f"pay-{user_id}"},
        headers={"Authorization": f"Bearer {key['key']}"},
    )
    assert answer.status_code == 200, answer.text
    credited_at = time.monotonic()
    wait_for("new session", lambda: len(person.sessions()) == 2, 10)
    started_s = time.monotonic() - credited_at
    wait_for("picture", lambda: playback.position() > shown, 10)
    resumed_s = time.monotonic() - credited_at
    steps = {"credit": credited_at - asked_at, "session": started_s, "picture": resumed_s}
    print("seconds: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items()))
    assert resumed_s < RESUME_S_MAX and playback.mpv_pids() == [pid]
    wait_for("a played lease", lambda: playback.position() > shown + 6, 30)
    status, receipt = playback.quit()
    assert (status, receipt["end_reason"], len(receipt["session_ids"])) == (0, "viewer_stopped", 2)
    person.check_ledger()
