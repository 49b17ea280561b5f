"""What mpv showed: frames and played time. It is not used for billing."""

import time
from typing import Any

OBSERVED = ("pause", "core-idle", "time-pos")


class Meter:
    """Counters fed by mpv's property changes. Only the IPC reader thread writes to them."""

    def __init__(self) -> None:
        self.frames_shown = 0
        self.is_buffering = True
        self._played_s = 0.0
        self._playing_since: float | None = None
        self._position: float | None = None

    @property
    def played_ms(self) -> int:
        """Milliseconds of playing, without pauses and is_buffering."""
        since = self._playing_since
        running = time.monotonic() - since if since is not None else 0.0
        return round((self._played_s + running) * 1000)

    def take(self, event: dict[str, Any]) -> None:
        """Count a property change. `time-pos` changes once for every frame."""
        name, value = event.get("name"), event.get("data")
        if name == "time-pos" and value is not None and value != self._position:
            self._position = value
            self.frames_shown += 1
        elif name == "core-idle":
            self.stop()
            self.is_buffering = bool(value)
            if value is False:
                self._playing_since = time.monotonic()

    def stop(self) -> None:
        """Stop counting time until mpv plays again."""
        if self._playing_since is not None:
            self._played_s += time.monotonic() - self._playing_since
            self._playing_since = None
