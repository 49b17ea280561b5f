"""Play three scenes with the real player and mpv, and show what each viewer paid and got back, without an operator.

A viewer pauses for a minute; the gateway is cut off from the store for a minute while a viewer watches; a wallet runs
out under `player play --wait`, and a payment service's key adds points. The status is 0 if all went as it should.
"""

import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil

from tests.faults.adversary.streams import LEASE_MS, RATE_MILLIPOINTS_PER_MINUTE, live_streams
from tests.faults.harness.api_client import ApiClient
from tests.faults.harness.command_line import command_parser, print_start
from tests.faults.harness.private_stack import PASSWORD, Operator, private_stack
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import Player, PlayProcess, logged_in

STREAM = "2s"
WATCH_S, ABSENT_S = 20.0, 60.0
SETTLED_S_MAX = 200.0
PICTURE_S_MAX = 30.0
# The bounds of the issue: what a viewer pays for a second of media, and how soon the picture goes on after a credit.
RATIO_MIN, RATIO_MAX, RESUMED_S_MAX = 0.98, 1.05, 2.0


@dataclass
class Scene:
    """A viewer of a scene, and what is printed of it."""

    name: str
    stack: Stack
    client: ApiClient
    player: Player
    user_id: str
    lines: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.lines.append(f"  {time.strftime('%H:%M:%S')} {text}")

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.failures.append(f"{self.name}: {what}")

    def watch(self, *words: str) -> PlayProcess:
        """Play until there is a picture."""
        play = self.player.play(*words, stream_id=STREAM)
        wait_for("picture", play.is_shown, PICTURE_S_MAX)
        self.say("mpv shows a picture")
        return play

    def settle(self) -> list[dict[str, Any]]:
        """Wait until all sessions are settled, compare what was served and paid, and print the receipts."""

        def sessions() -> list[dict[str, Any]]:
            items = self.client.send("GET", "/me/sessions").document["items"]
            return [self.client.send("GET", f"/me/sessions/{each['session_id']}").document for each in items]

        wait_for("settlement", lambda: all(each["settled_at_ms"] for each in sessions()), SETTLED_S_MAX)
        found = sessions()
        for each in found:
            after_s = (each["settled_at_ms"] - each["ended_at_ms"]) / 1000
            served_s, paid_s = each["media_ms"] / 1000, each["charged_millipoints"] / 1000
            self.say(
                f"{each['end_reason']}: {served_s:.3f} s served, {paid_s:.3f} s paid; settled after {after_s:.0f} s:"
                f" {each['settled_ms']} ms, {each['settled_millipoints']} millipoints"
            )
            self.lines += ["    " + line for line in self.player.run("receipt", each["session_id"]).stdout.splitlines()]
            self.expect(RATIO_MIN <= served_s / max(paid_s, 0.001) <= RATIO_MAX, f"{served_s} s for {paid_s} s")
            self.expect(after_s <= 180, f"settled after {after_s:.0f} s")
        return found


def pause(scene: Scene) -> None:
    """Watch, pause for a minute, watch on, and stop."""
    play = scene.watch()
    time.sleep(WATCH_S)
    play.mpv("set_property", "pause", True)
    scene.say(f"paused for {ABSENT_S:.0f} s")
    time.sleep(ABSENT_S)
    play.mpv("set_property", "pause", False)
    scene.say("plays on")
    time.sleep(WATCH_S)
    _, receipt = play.quit()
    scene.say(f"stopped: {receipt}")
    scene.settle()


def cut_off(scene: Scene) -> None:
    """Watch while the gateway gets neither decisions nor signatures for the store, and stop."""
    play = scene.watch()
    time.sleep(WATCH_S)
    with stopped_endpoints(scene.stack):
        scene.say(f"the gateway is cut off from the store for {ABSENT_S:.0f} s")
        time.sleep(ABSENT_S)
    scene.say("the gateway reaches the store")
    time.sleep(WATCH_S)
    _, receipt = play.quit() if play.process.poll() is None else play.finish()
    scene.say(f"ended: {receipt}")
    scene.settle()


@contextmanager
def stopped_endpoints(stack: Stack) -> Any:
    """Stop the processes that decide and sign for nginx: its only way to the store."""
    master = psutil.Process(stack.pid("endpoints"))
    workers = master.children()
    for process in (master, *workers):
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in (*workers, master):
            process.send_signal(signal.SIGCONT)


def run_out(scene: Scene, key: str) -> None:
    """Watch with --wait until the points end, add some by a service key, and go on in the same window."""
    play = scene.watch("--wait=2m")
    mpv = play.mpv_pids()
    ended = wait_for("an ended session", lambda: _ended(scene), 60)
    scene.say(f"the session ended: {ended['end_reason']}")
    held_s = wait_for("a picture that stands still", lambda: _still(play), 30)
    scene.say(f"mpv {mpv} holds its last picture at {held_s:.1f} s")
    scene.expect(play.mpv_pids() == mpv and play.process.poll() is None, "mpv or the player has ended")
    body = {"millipoints": 60_000, "payment_id": f"scene-{scene.user_id}"}
    answer = httpx.post(
        f"{scene.stack.url}/wallets/{scene.user_id}/credit", json=body, headers={"Authorization": f"Bearer {key}"}
    )
    credited_s = time.monotonic()
    scene.say(f"the service key credits 60 points: {answer.status_code}")
    wait_for("a new session", lambda: len(_sessions(scene)) > 1, 10)
    scene.say(f"a new session {time.monotonic() - credited_s:.2f} s after the credit")
    wait_for("the picture goes on", lambda: play.position() != held_s, 10)
    resumed_s = time.monotonic() - credited_s
    scene.say(f"the picture goes on {resumed_s:.2f} s after the credit, in mpv {play.mpv_pids()}")
    scene.expect(resumed_s <= RESUMED_S_MAX, f"the picture went on after {resumed_s:.2f} s")
    scene.expect(play.mpv_pids() == mpv, "another mpv plays")
    time.sleep(10)
    _, receipt = play.quit()
    scene.say(f"stopped: {receipt}")
    scene.settle()


def _still(play: PlayProcess) -> float:
    """Return the position of a picture that has not moved for a second, else 0."""
    before = play.position()
    time.sleep(1.0)
    return before if play.position() == before else 0.0


def _sessions(scene: Scene) -> list[dict[str, Any]]:
    return list(scene.client.send("GET", "/me/sessions").document["items"])


def _ended(scene: Scene) -> dict[str, Any] | None:
    return next((each for each in _sessions(scene) if not each["active"]), None)


def play_scene(name: str, stack: Stack, operator: Operator, millipoints: int, act: Callable[[Scene], None]) -> Scene:
    """Play one scene with a viewer of its own."""
    account, answers = operator.viewer(millipoints)
    with TemporaryDirectory(prefix="scene-") as home:
        player = logged_in(stack.url, Path(home), account.email, PASSWORD)
        scene = Scene(name, stack, ApiClient(stack.url, account), player, answers.user_id)
        try:
            act(scene)
        except Exception as error:
            scene.failures.append(f"{name}: {error!r}")
        finally:
            player.end_all()
    return scene


def main() -> int:
    arguments = command_parser("make scenes", __doc__).parse_args()
    print_start(arguments.seed)
    print(f"stream {STREAM}, {RATE_MILLIPOINTS_PER_MINUTE} millipoints a minute, leases of {LEASE_MS} ms", flush=True)
    with (
        private_stack(3, TOLLCAST_TOP_UP_URL="https://pay.example.org/{user_id}") as stack,
        Operator(stack.url) as operator,
        live_streams(stack, operator, [STREAM]),
        ThreadPoolExecutor() as pool,
    ):
        key = operator.do(
            "POST", "/service-keys", {"name": "payments", "scopes": ["credit"], "expires_in_days": 1}
        ).document["key"]
        # The gateway is cut off for all viewers, so this scene is played alone.
        together = [
            pool.submit(play_scene, "a pause of a minute", stack, operator, 500_000, pause),
            pool.submit(play_scene, "a wallet that runs out", stack, operator, 25_000, lambda s: run_out(s, key)),
        ]
        scenes = [each.result() for each in together]
        scenes.append(play_scene("a gateway without its store", stack, operator, 500_000, cut_off))
    for scene in scenes:
        print(f"{scene.name}:", *scene.lines, sep="\n")
    failures = [each for scene in scenes for each in scene.failures]
    print(*failures or ["all as it should be"], sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
