"""Which picture and how much sound is due: pure rules, times in microseconds, the clock's in seconds.

The output is a row of slots, one a picture. A slot is made as soon as its picture and its sound are known. Where one of
the two does not come, the other one shows how much time has passed; where nothing comes, the clock does.
"""

from dataclasses import dataclass

# How far sound may be behind the picture, or the picture behind the sound, before it counts as missing. It grows when
# something comes late.
PATIENCE_US = 700_000
PATIENCE_US_MAX = 3_000_000
PATIENCE_STEP_US = 100_000
# After this long without anything, the clock makes slots. If the source was only late, it continues where it was, and
# nothing is lost.
IDLE_S = 2.0


@dataclass
class Patience:
    """How long one kind of track is waited for."""

    us: int = PATIENCE_US

    def was_late(self, by_us: int) -> None:
        """Increase the patience by the delay of the late track."""
        self.us = min(PATIENCE_US_MAX, max(self.us, self.us + by_us + PATIENCE_STEP_US))


class SlotClock:
    """The position of the output, and what it waits for."""

    def __init__(self, origin_us: int, slot_us: float) -> None:
        self.number = 0
        self.picture_patience, self.sound_patience = Patience(), Patience()
        self._origin_us = float(origin_us)
        self._slot_us = slot_us
        self._idle_since_s: float | None = None
        self._idle_from_us = 0.0
        # Whether the clock has made slots since anything came.
        self.is_idle = False

    @property
    def begins_us(self) -> float:
        """Return when the next slot begins, on the source's time line."""
        return self._origin_us + self.number * self._slot_us

    @property
    def ends_us(self) -> float:
        """Return when the next slot ends."""
        return self.begins_us + self._slot_us

    @property
    def picture_by_us(self) -> float:
        """Return until when a picture is nearer to this slot than to the next."""
        return self.begins_us + self._slot_us / 2

    def is_due(self, picture_us: float | None, sound_us: float | None) -> bool:
        """Return whether the slot can be made: `picture_us` and `sound_us` are how far these have come.

        `sound_us` None: the source has no sound to wait for.
        """
        has_picture = picture_us is not None and picture_us >= self.picture_by_us
        has_sound = sound_us is None or sound_us >= self.ends_us
        if has_picture and has_sound:
            return True
        if has_picture and picture_us is not None:
            return picture_us - self.ends_us >= self.sound_patience.us
        if has_sound and sound_us is not None:
            return sound_us - self.picture_by_us >= self.picture_patience.us
        return False

    def idles(self, now_s: float, heard_s: float) -> bool:
        """Return whether the clock makes the next slot, since nothing has come since `heard_s`."""
        if now_s - heard_s < IDLE_S:
            return False
        if not self.is_idle:
            self.is_idle, self._idle_since_s, self._idle_from_us = True, now_s, self.begins_us
        return self.ends_us - self._idle_from_us <= (now_s - (self._idle_since_s or now_s)) * 1e6

    def resume(self, at_us: float) -> float:
        """Continue after a pause. Return by how much the time line was moved so that nothing is lost."""
        if not self.is_idle:
            return 0.0
        self.is_idle = False
        late_us = max(0.0, self.begins_us - at_us)
        self._origin_us -= late_us
        return late_us

    def advance(self) -> None:
        """Continue with the next slot."""
        self.number += 1
