"""Plays strategies side by side on one platform."""

import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.adversary.allowance import NoAllowance, StartAllowance
from tests.faults.adversary.catalogue import Strategy
from tests.faults.adversary.judge import Row, await_settlements, judge, settles
from tests.faults.adversary.viewer import Viewer
from tests.faults.harness.private_stack import Operator

# Requests of a moment before the end may be held, and transfers run on.
END_S_MAX = 90.0
# The starts of all strategies are spread over this time.
SPREAD_S = 8.0


@dataclass
class Play:
    """A strategy on a stream, with its viewer."""

    strategy: Strategy
    viewer: Viewer
    after_s: float = 0.0
    failure: str = ""

    @property
    def label(self) -> str:
        return f"{self.strategy.name} [{self.viewer.stream_id}]"

    def run(self) -> None:
        """Play to the end of the run, and keep the failure."""
        try:
            self.viewer.sleep(self.after_s)
            self.strategy.play(self.viewer)
        except Exception:
            self.failure = traceback.format_exc()
        finally:
            self.viewer.close()


def play_all(
    operator: Operator, chosen: Sequence[tuple[Strategy, str]], seconds: float, seed: int, spread_s: float = SPREAD_S
) -> list[Play]:
    """Play all at once for so long. Return when every one has ended."""
    ends_at_s = time.monotonic() + seconds
    plays = []
    for strategy, stream_id in chosen:
        rng = Random(f"{seed}.{strategy.name}.{stream_id}")
        allowance = StartAllowance() if strategy.is_limited else NoAllowance()
        viewer = Viewer(operator, stream_id, rng, ends_at_s, millipoints=strategy.millipoints, allowance=allowance)
        plays.append(Play(strategy, viewer, rng.uniform(0, spread_s)))
    threads = [threading.Thread(target=play.run, name=play.label, daemon=True) for play in plays]
    for thread in threads:
        thread.start()
    deadline = ends_at_s + END_S_MAX
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        time.sleep(min(30.0, max(0.2, ends_at_s - time.monotonic())))
        if time.monotonic() < ends_at_s:
            obtained_s = sum(sum(play.viewer.received.by_session_ms().values()) for play in plays) / 1000
            print(f"  {ends_at_s - time.monotonic():.0f} s left, {obtained_s:.0f} s of media obtained", flush=True)
    for play, thread in zip(plays, threads, strict=True):
        if thread.is_alive():
            play.failure = play.failure or "it did not end"
    return plays


def judge_all(plays: Sequence[Play]) -> list[Row]:
    """Wait for the settlements, if the platform has them, and return a row for each play."""
    viewers = [play.viewer for play in plays]
    left = await_settlements(viewers) if settles(viewers) else None
    return [
        judge(
            play.viewer,
            play.strategy.name,
            is_honest=play.strategy.is_honest,
            unsettled=None if left is None else left[play.viewer],
        )
        for play in plays
    ]
