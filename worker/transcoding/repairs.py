"""Counts and notes of what one run repairs."""

import time
from collections import deque
from typing import Any

NOTES_MAX = 100
# Repairs of one kind that come close after each other are one note.
NOTE_INTERVAL_S = 10.0


class RunRepairs:
    """The repairs of a run since its start. `new_notes` returns each note once."""

    def __init__(self) -> None:
        self.drift_ppm: int | None = None
        self.timestamp_jumps = self.format_changes = self.damaged_packets = 0
        self.pictures_repeated = self.pictures_dropped = self.restarts_avoided = 0
        self._silent_samples = self._trimmed_samples = 0
        self._notes: deque[str] = deque(maxlen=NOTES_MAX)
        self._noted_at_s: dict[str, float] = {}

    def count_gap(self, samples: int, at_us: int) -> None:
        """Count silence that was made where sound is missing."""
        self._silent_samples += samples
        self.note("gap", f"{samples / 48:.0f} ms of sound are missing at {at_us / 1e6:.2f} s: silence was played")

    def count_overlap(self, samples: int, at_us: int) -> None:
        """Count sound that was left out since it overlaps earlier sound."""
        self._trimmed_samples += samples
        self.note(
            "overlap", f"{samples / 48:.0f} ms of sound at {at_us / 1e6:.2f} s overlap the sound before: left out"
        )

    def count_silence(self, samples: int) -> None:
        """Count silence that was made since no sound has come."""
        if samples:
            self._silent_samples += samples
            self.note("no sound", "no sound comes from the source: silence is played")

    def count_repeat(self, at_us: int, paused_us: int) -> None:
        """Count a picture that was shown again since no other has come."""
        self.pictures_repeated += 1
        if paused_us >= 1_000_000:
            self.note(
                "paused", f"no new picture for {paused_us / 1e6:.1f} s at {at_us / 1e6:.1f} s: the last one stays"
            )

    def note(self, kind: str, text: str) -> None:
        """Keep a note, one a kind in `NOTE_INTERVAL_S`."""
        now_s = time.monotonic()
        if now_s - self._noted_at_s.get(kind, -NOTE_INTERVAL_S) >= NOTE_INTERVAL_S:
            self._noted_at_s[kind] = now_s
            self._notes.append(text)

    def new_notes(self) -> list[str]:
        """Return the notes since the last call."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def counts(self) -> dict[str, Any]:
        """Return the counts, by the names of `chalicelib.domain.streams.media_health.Repairs`."""
        return {
            "silence_ms": round(self._silent_samples / 48),
            "trimmed_ms": round(self._trimmed_samples / 48),
            "drift_ppm": self.drift_ppm,
            "pictures_repeated": self.pictures_repeated,
            "pictures_dropped": self.pictures_dropped,
            "timestamp_jumps": self.timestamp_jumps,
            "format_changes": self.format_changes,
            "damaged_packets": self.damaged_packets,
            "restarts_avoided": self.restarts_avoided,
        }
