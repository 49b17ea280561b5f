"""Turns over and deletes, by their age, the logs of this machine that have addresses of viewers and senders in them.

supervisord turns logs over by their size alone, which on a quiet platform takes for ever. A log is turned over after
half of the days that addresses are kept, and deleted when its newest line is that old: no line gets older than those
days.
"""

import os
import signal
from pathlib import Path

# nginx's access log, and its errors and those of the ingest's nginx, which name the client.
WITH_ADDRESSES = ("access.log", "nginx.log", "ingest.log")
S_PER_DAY = 86_400
# More than there can be of half the days each; the follower of the access log looks at 20.
BACKUPS_MAX = 20


def tend(log_dir: Path, address_days: int, now_s: float, supervisord_pid: Path) -> None:
    """Delete what is too old and turn over what has begun too long ago. To be called each hour or so."""
    most_s = address_days * S_PER_DAY / 2
    turned = False
    for name in WITH_ADDRESSES:
        path = log_dir / name
        for number in range(1, BACKUPS_MAX + 1):
            backup = _backup(path, number)
            if backup.exists() and now_s - backup.stat().st_mtime > most_s:
                backup.unlink()
        if path.exists() and now_s - _begun_s(path, now_s) > most_s and supervisord_pid.exists():
            _turn_over(path)
            turned = True
    if turned:
        # It goes on writing to the renamed files until then, so nothing is lost.
        os.kill(int(supervisord_pid.read_text()), signal.SIGUSR2)


def _begun_s(path: Path, now_s: float) -> float:
    """When this very file was seen first, which is written down beside it."""
    mark, inode = path.with_name(path.name + ".since"), str(path.stat().st_ino)
    if not mark.exists() or mark.read_text() != inode:
        mark.write_text(inode)
        os.utime(mark, (now_s, now_s))
    return mark.stat().st_mtime


def _turn_over(path: Path) -> None:
    for number in range(BACKUPS_MAX - 1, 0, -1):
        if _backup(path, number).exists():
            _backup(path, number).replace(_backup(path, number + 1))
    path.replace(_backup(path, 1))


def _backup(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
