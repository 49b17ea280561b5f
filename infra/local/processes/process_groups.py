"""Process groups that belong to this platform: which they are, what is left of them, and how they are ended.

A part that is killed leaves its children behind: nginx's workers keep the port, ffmpeg keeps writing. They stay in the
part's process group, so each part records its group before it runs. A group's number is not given to anybody else
while a member lives; together with session, boot and start time, nothing of anybody else's can be taken for ours.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SUFFIX = ".group"
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
    """What /proc tells of a process; `start` is in clock ticks since boot."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    start: int


def find_process(pid: int) -> Process | None:
    """The process, or None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in parentheses and may hold anything, so fields are counted from the last one.
    fields = text.rpartition(")")[2].split()
    return Process(pid, fields[0], int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


def process_name(pid: int) -> str:
    """What the process runs, for instance `encoder`; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def running_processes() -> Iterator[Process]:
    """All processes of the machine that have not ended."""
    for entry in Path("/proc").iterdir():
        found = find_process(int(entry.name)) if entry.name.isdecimal() else None
        if found and found.state not in "ZX":
            yield found


def record_own_group(run_dir: Path, part: str) -> None:
    """Write down this process's group as the part's."""
    own = find_process(os.getpid())
    assert own is not None
    group = Group(own.group, own.session, own.start, _BOOT_ID.read_text().strip())
    path = run_dir / (part + SUFFIX)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(group)))
    temporary.replace(path)


def recorded_group(run_dir: Path, part: str) -> Group | None:
    """The group that the part wrote down last; None if there is none of this boot."""
    try:
        group = Group(**json.loads((run_dir / (part + SUFFIX)).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return group if group.boot_id == _BOOT_ID.read_text().strip() else None


def members(group: Group) -> list[int]:
    """The living processes of the group, without this one. Empty if its number means another group by now."""
    leader = find_process(group.group)
    if leader and leader.start != group.leader_start:
        return []
    return [
        found.pid
        for found in running_processes()
        if found.group == group.group and found.session == group.session and found.pid != os.getpid()
    ]


def end_group(run_dir: Path, part: str, *, grace_s: float) -> int:
    """End what is left of a part: politely, and after `grace_s` for good. Answers how many there were."""
    group = recorded_group(run_dir, part)
    left = members(group) if group else []
    if group is None or not left:
        return 0
    for sent, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        _signal(members(group), sent)
        deadline = time.monotonic() + wait_s
        while members(group) and time.monotonic() < deadline:
            time.sleep(0.05)
    return len(left)


def _signal(pids: list[int], sent: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sent)
