"""Whether what sessions are served is measured at all."""

from contextlib import suppress

from chalicelib.domain.money.measuring import is_followed
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.money.usage import Usage

# Gateways come and go rarely, and a follower counts for an hour.
CACHE_MS = 30_000


class Metering:
    """Knows from the followers of the gateways' logs whether sessions that end now can be settled."""

    def __init__(self, usage: Usage, clock: Clock) -> None:
        self._usage = usage
        self._clock = clock
        self._followed = True
        self._read_at_ms: int | None = None

    def is_followed(self) -> bool:
        """Return whether a gateway's log is followed, as of at most `CACHE_MS` ago.

        If the store does not answer, return what was known before, at first True: an end must not fail for it, and a
        reserve comes back by itself.
        """
        now_ms = self._clock.now_ms()
        if self._read_at_ms is None or not 0 <= now_ms - self._read_at_ms < CACHE_MS:
            with suppress(StoreUnavailable):
                self._followed = is_followed(self._usage.followers(), now_ms)
                self._read_at_ms = now_ms
        return self._followed
