"""Lines of the gateway's access log, and a log that is rotated as supervisord rotates it."""

import json
from pathlib import Path

A, B = "a" * 26, "b" * 26
DAY = "2026-11-22"
AT_S = 1_795_341_600
MINUTE = AT_S // 60


def line(media: str = "720p/1-1-000001.ts", session: str = A, **changes: object) -> bytes:
    """Return a line of the log: a whole segment of 2 s, unless `changes` differ."""
    request = {"at": f"{DAY}T10:00:00+00:00", "at_s": AT_S, "request_id": "r" * 32, "address": "127.0.0.1"}
    request |= {"method": "GET", "path": f"/play/{session}/{media}", "session": session, "stream": "stream-1"}
    answer = {"media": media, "media_ms": 2_000 if media.endswith(".ts") else 0, "complete": True, "status": 200}
    answer |= {"segment_bytes": 1_000, "first_byte": 0, "body_bytes": 1_000}
    answer |= {"bytes": 1_000, "cache": "HIT", "verdict": "HIT", "request_s": 0.001, "upstream_s": "", "agent": "mpv"}
    return json.dumps({**request, **answer, **changes}, separators=(",", ":")).encode() + b"\n"


def segment(number: int, session: str = A, **changes: object) -> bytes:
    return line(f"720p/1-1-{number:06d}.ts", session, **changes)


class RotatedLog:
    """A writer that appends to a log and rotates it, like supervisord."""

    def __init__(self, path: Path, backups: int = 2) -> None:
        self.path = path
        self.backups = backups
        path.touch()

    def write(self, *parts: bytes) -> None:
        with self.path.open("ab") as file:
            for part in parts:
                file.write(part)

    def rotate(self) -> None:
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{n + 1}") for n in range(self.backups))]
        names[-1].unlink(missing_ok=True)
        for newer, older in zip(names[-2::-1], names[:0:-1], strict=True):
            if newer.exists():
                newer.rename(older)
        self.path.touch()
