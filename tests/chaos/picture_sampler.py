"""Samples the position of a real mpv several times a second, and finds its stalls."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

SAMPLE_S = 0.15
# A shorter stop is a late frame or a busy machine.
STALL_S_MIN = 0.5
JOIN_S = 15.0


@dataclass(frozen=True)
class Sample:
    """The position of the picture at a monotonic time; None without a picture."""

    at_s: float
    position_s: float | None
    buffering: bool = False


@dataclass(frozen=True)
class Stall:
    """A time in which the picture did not move. `buffering`: mpv waited for data."""

    since_s: float
    length_s: float
    buffering: bool


def stalls(samples: Sequence[Sample], least_s: float = STALL_S_MIN) -> list[Stall]:
    """Return all stalls, also one that has not ended. A late answer is no stall if the picture has moved."""
    found, since, buffering = [], 0, False
    for index, sample in enumerate(samples):
        # A missing picture has not moved. Before the first picture there is no stall.
        moved = sample.position_s is not None and sample.position_s != samples[since].position_s
        last = index == len(samples) - 1
        if moved or last:
            # It moved after the previous sample. A picture that has not moved stalls until now.
            until = sample if last and not moved else samples[max(index - 1, since)]
            length_s = until.at_s - samples[since].at_s
            if length_s >= least_s and samples[since].position_s is not None:
                found.append(Stall(samples[since].at_s, length_s, buffering))
            since, buffering = index, False
        buffering = buffering or sample.buffering
    return found


class PictureSampler:
    """A context manager that samples an mpv, to which `mpv` sends commands."""

    def __init__(self, mpv: Callable[..., Any]) -> None:
        self.samples: list[Sample] = []
        self._mpv = mpv
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="picture", daemon=True)

    def __enter__(self) -> "PictureSampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(JOIN_S)

    def moves_within(self, timeout_s: float, by_s: float = 1.0) -> bool:
        """Return whether the picture moves by `by_s` within `timeout_s`."""
        began, start = time.monotonic(), len(self.samples)
        while time.monotonic() - began < timeout_s:
            shown = [sample.position_s for sample in self.samples[start:] if sample.position_s is not None]
            if shown and max(shown) - min(shown) >= by_s:
                return True
            time.sleep(SAMPLE_S)
        return False

    def _run(self) -> None:
        while not self._stopped.wait(SAMPLE_S):
            position, buffering = self._ask("time-pos"), self._ask("paused-for-cache")
            self.samples.append(Sample(time.monotonic(), position, buffering is True))

    def _ask(self, name: str) -> Any:
        """Return a property of mpv, or None where it does not answer."""
        with suppress(OSError, ValueError, AssertionError):
            return self._mpv("get_property", name)
        return None
