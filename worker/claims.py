"""A stream's claim: renewed while possible, and trusted no longer than the store has promised."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from chalicelib.domain.streams.runtime import Claim
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.streams.streams import Runtimes

# A worker that dies is replaced after this time; viewers wait as long.
TTL_MS = 6_000
RENEW_INTERVAL_S = 1.5
RETRY_S = 0.5
# Publishing stops this much before the claim expires, so that a slow write still ends inside it.
MARGIN_S = 1.5


class HeldClaim:
    """A claim, and until when it is safe to act on it by the monotonic clock, which no clock change moves."""

    def __init__(
        self, runtimes: Runtimes, clock: Clock, claim: Claim, asked_at_s: float, monotonic: Callable[[], float]
    ) -> None:
        self._runtimes = runtimes
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self.claim = claim
        self.is_lost = False
        # When something new was published last; each renewal reports it.
        self.last_manifest_at_ms: int | None = None
        self._asked_at_s = asked_at_s
        self._next_renewal_s = asked_at_s + RENEW_INTERVAL_S

    @property
    def is_safe(self) -> bool:
        """Return whether something may be published now."""
        with self._lock:
            return not self.is_lost and self._monotonic() < self._asked_at_s + TTL_MS / 1000 - MARGIN_S

    def give_up(self) -> None:
        """Note that another worker has the claim."""
        with self._lock:
            self.is_lost = True

    def renew_if_due(self) -> None:
        """Renew the claim every few seconds. Set `is_lost` if another worker has it.

        Raise `StoreUnavailable`.
        """
        # Read before the request is sent: the claim may have been extended at that moment, never earlier.
        now_s, now_ms = self._monotonic(), self._clock.now_ms()
        if self.is_lost or now_s < self._next_renewal_s:
            return
        # Applies if the store is unavailable; several tries fit into the claim's time.
        self._next_renewal_s = now_s + RETRY_S
        renewed = self._runtimes.renew(self.claim, now_ms, now_ms + TTL_MS, self.last_manifest_at_ms)
        if renewed is None:
            self.give_up()
            return
        with self._lock:
            self.claim, self._asked_at_s = renewed, now_s
        self._next_renewal_s = now_s + RENEW_INTERVAL_S

    def release(self) -> None:
        """Release the claim. If the store is unavailable, the claim expires."""
        with suppress(StoreUnavailable):
            self._runtimes.release(self.claim)


def claim_stream(
    runtimes: Runtimes, clock: Clock, stream_id: str, worker_id: str, monotonic: Callable[[], float] = time.monotonic
) -> HeldClaim | None:
    """Claim a stream; return None if another worker has it. Raise `StoreUnavailable`."""
    asked_at_s, now_ms = monotonic(), clock.now_ms()
    claim = runtimes.claim(stream_id, worker_id, now_ms, now_ms + TTL_MS)
    return HeldClaim(runtimes, clock, claim, asked_at_s, monotonic) if claim else None
