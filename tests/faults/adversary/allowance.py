"""Production's rate limit of starts, which a client on the local platform has to keep itself."""

import time

from chalicelib.domain.access.limits import Allowances


class StartAllowance:
    """A client's view of production's limit of starts: how long until the next one is allowed."""

    def __init__(self) -> None:
        limit = Allowances().start
        self._burst, self._every_s = limit.burst, limit.back_every_ms / 1000
        self._full_at_s = 0.0

    def wait_s(self) -> float:
        """Return the time until a start is allowed, 0 if now."""
        return max(0.0, self._full_at_s - time.monotonic() - (self._burst - 1) * self._every_s)

    def take(self) -> None:
        """Count a start."""
        self._full_at_s = max(self._full_at_s, time.monotonic()) + self._every_s


class NoAllowance(StartAllowance):
    """A stage without a limit of starts, as the local platform is."""

    def wait_s(self) -> float:
        return 0.0
