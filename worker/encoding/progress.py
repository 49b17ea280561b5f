"""What ffmpeg tells of itself on its `-progress` pipe: blocks of `key=value` lines, one a second."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One block. None where ffmpeg said N/A."""

    out_time_us: int | None = None
    fps: float | None = None
    speed: float | None = None
    dropped_frames: int = 0


class ProgressParser:
    """Feed it lines; it answers with a `Progress` at the end of each block."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def feed(self, line: str) -> Progress | None:
        """One line. What it does not know is left alone: newer versions tell more."""
        key, _, value = line.strip().partition("=")
        if key != "progress":
            self._values[key] = value.strip()
            return None
        values, self._values = self._values, {}
        out_time_us = _number(values.get("out_time_us", ""))
        return Progress(
            out_time_us=None if out_time_us is None else int(out_time_us),
            fps=_number(values.get("fps", "")),
            speed=_number(values.get("speed", "").removesuffix("x")),
            dropped_frames=int(_number(values.get("drop_frames", "")) or 0),
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
