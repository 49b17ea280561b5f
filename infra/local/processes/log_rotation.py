"""Rotate and delete, by age, the logs of this machine that contain addresses of viewers and senders.

supervisord rotates logs by size alone, which on a quiet platform may never happen. A log is rotated after half of the
days that addresses are kept, and deleted when its newest line is that old. So no line gets older than those days.
"""

import os
import signal
from pathlib import Path

# nginx's access log and the errors of both nginx, which name the client.
LOGS_WITH_ADDRESSES = ("access.log", "nginx.log", "ingest.log")
S_PER_DAY = 86_400
# More than there can be of half the days each; the follower of the access log looks at 20.
BACKUPS_MAX = 20


def rotate_logs(log_dir: Path, address_days: int, now_s: float, supervisord_pid: Path) -> None:
    """Delete the logs that are too old and rotate those that started too long ago. Run this about every hour."""
    age_s_max = address_days * S_PER_DAY / 2
    has_rotated = False
    for name in LOGS_WITH_ADDRESSES:
        path = log_dir / name
        for number in range(1, BACKUPS_MAX + 1):
            backup = _backup(path, number)
            if backup.exists() and now_s - backup.stat().st_mtime > age_s_max:
                backup.unlink()
        if path.exists() and now_s - _started_at_s(path, now_s) > age_s_max and supervisord_pid.exists():
            _rotate(path)
            has_rotated = True
    if has_rotated:
        # supervisord writes to the renamed files until this signal, so no line is lost.
        os.kill(int(supervisord_pid.read_text()), signal.SIGUSR2)


def _started_at_s(path: Path, now_s: float) -> float:
    """Return when this file (by its inode) was seen first. A file beside it keeps that time."""
    mark, inode = path.with_name(path.name + ".since"), str(path.stat().st_ino)
    if not mark.exists() or mark.read_text() != inode:
        mark.write_text(inode)
        os.utime(mark, (now_s, now_s))
    return mark.stat().st_mtime


def _rotate(path: Path) -> None:
    for number in range(BACKUPS_MAX - 1, 0, -1):
        if _backup(path, number).exists():
            _backup(path, number).replace(_backup(path, number + 1))
    path.replace(_backup(path, 1))


def _backup(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
