"""How long to wait before something is tried again."""

import random
from collections.abc import Callable
from dataclasses import dataclass

# The first retry is quick, since most deaths of encoders are accidents; then patience grows.
FIRST_DELAY_S = 0.2
DELAY_S_MAX = 30.0
JITTER = 0.2


@dataclass
class Backoff:
    """Exponential, with jitter so that many streams that died together do not come back together."""

    chance: Callable[[], float] = random.random
    failures: int = 0

    def next_delay_s(self) -> float:
        """How long to wait now."""
        delay = min(FIRST_DELAY_S * 2.0**self.failures, DELAY_S_MAX)
        self.failures = min(self.failures + 1, 16)
        return delay * (1 + JITTER * (2 * self.chance() - 1))

    def reset(self) -> None:
        """All is well again."""
        self.failures = 0
