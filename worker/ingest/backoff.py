"""Delays before retries."""

import random
from collections.abc import Callable
from dataclasses import dataclass

# The first retry is quick, since most failures of encoders do not recur.
FIRST_DELAY_S = 0.2
DELAY_S_MAX = 30.0
JITTER = 0.2


@dataclass
class Backoff:
    """Exponential delays, with jitter so that many streams that failed together do not retry together."""

    chance: Callable[[], float] = random.random
    failures: int = 0

    def next_delay_s(self) -> float:
        """Return how long to wait now."""
        delay = min(FIRST_DELAY_S * 2.0**self.failures, DELAY_S_MAX)
        self.failures = min(self.failures + 1, 16)
        return delay * (1 + JITTER * (2 * self.chance() - 1))

    def reset(self) -> None:
        """Restart with the shortest delay."""
        self.failures = 0
