"""Find and end the process groups of one platform.

A killed part leaves its children behind: nginx's workers keep the port, ffmpeg continues to write. The children stay in
the part's process group, so each part records its group before it runs. The kernel does not reuse a group's number
while a member lives. Together with session, boot and start time, it never matches a process of another program.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SUFFIX = ".group"
KILLED_S_MAX = 5.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Group:
    """A process group as it was when its leader started."""

    group: int
    session: int
    leader_start: int
    boot_id: str


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it. `start` is in clock ticks since boot."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    start: int


def find_process(pid: int) -> Process | None:
    """Return the process, or None if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name is in parentheses and may contain any character, so fields are counted from the last parenthesis.
    fields = text.rpartition(")")[2].split()
    return Process(pid, fields[0], int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


def running_processes() -> Iterator[Process]:
    """Yield all processes of the machine that have not ended."""
    for entry in Path("/proc").iterdir():
        found = find_process(int(entry.name)) if entry.name.isdecimal() else None
        if found and found.state not in "ZX":
            yield found


def record_own_group(run_dir: Path, part: str) -> None:
    """Record the group of this process as the part's."""
    leader = find_process(os.getpid())
    assert leader is not None
    group = Group(leader.group, leader.session, leader.start, _BOOT_ID.read_text().strip())
    path = run_dir / (part + SUFFIX)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(group)))
    temporary.replace(path)


def recorded_group(run_dir: Path, part: str) -> Group | None:
    """Return the group that the part recorded last, or None if there is none of this boot."""
    try:
        group = Group(**json.loads((run_dir / (part + SUFFIX)).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return group if group.boot_id == _BOOT_ID.read_text().strip() else None


def members(group: Group) -> list[int]:
    """Return the running processes of the group, without this one. Empty if another group has its number now."""
    leader = find_process(group.group)
    if leader and leader.start != group.leader_start:
        return []
    return [
        found.pid
        for found in running_processes()
        if found.group == group.group and found.session == group.session and found.pid != os.getpid()
    ]


def end_group(run_dir: Path, part: str, *, grace_s: float) -> int:
    """Send SIGTERM to the processes of a part, and SIGKILL after `grace_s`. Return how many there were."""
    group = recorded_group(run_dir, part)
    found = members(group) if group else []
    if group is not None and found:
        end_processes(lambda: members(group), grace_s)
    return len(found)


def end_processes(running: Callable[[], list[int]], grace_s: float) -> bool:
    """Send SIGTERM to the processes that run, and SIGKILL after `grace_s`. Return whether all have ended."""
    for sent, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, KILLED_S_MAX)):
        for pid in running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        deadline = time.monotonic() + wait_s
        while running() and time.monotonic() < deadline:
            time.sleep(0.05)
    return not running()
