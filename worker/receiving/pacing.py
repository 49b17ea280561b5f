"""Pacing of files and of https: sources that could be read faster than the clock."""

import time
from collections.abc import Callable

# Passed on at once at the beginning, so that the first segment does not wait for the clock.
BURST_US = 1_000_000
# Passed on at a time: each wake-up costs this process, the worker and the encoder more than a packet does.
BATCH_S = 0.1
# While a packet is held back for longer, the worker is notified that there is one.
HELD_INTERVAL_S = 2.0


class Pacer:
    """A delay of packets until their time has come. `is_held` is called every 2 s of a long wait."""

    def __init__(
        self,
        is_held: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._is_held = is_held
        self._monotonic = monotonic
        self._sleep = sleep
        self._began_s: float | None = None

    def wait(self, at_us: int) -> None:
        """Return when it is time for a packet that is decoded at `at_us`, or up to `BATCH_S` later.

        0 is when the first picture or sound is shown. Packets that are decoded before that come at once: of slides with
        B-frames that is half a minute's.
        """
        if self._began_s is None:
            self._began_s = self._monotonic()
        early_s = (at_us - BURST_US) / 1_000_000 - (self._monotonic() - self._began_s)
        while early_s > HELD_INTERVAL_S:
            self._sleep(HELD_INTERVAL_S)
            self._is_held()
            early_s -= HELD_INTERVAL_S
        if early_s > 0:
            self._sleep(early_s + BATCH_S)
