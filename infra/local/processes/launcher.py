"""Start a part of the platform: `python -m infra.local.processes.launcher <part> <command> [<argument> ...]`.

The launcher ends the processes that a killed predecessor left behind (see `process_groups`), then becomes the command.
The kernel sends it SIGTERM if supervisord dies, so that a killed supervisord leaves nothing running.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

from infra.local.processes import process_groups

PR_SET_PDEATHSIG = 1
LEFTOVER_GRACE_S = 1.0


def main() -> None:
    """Become the command. Never return."""
    part, command = sys.argv[1], sys.argv[2:]
    run_dir = Path(os.environ["TOLLCAST_RUN_DIR"])
    die_with_parent(run_dir / "supervisord.pid")
    ended = process_groups.end_group(run_dir, part, grace_s=LEFTOVER_GRACE_S)
    if ended:
        print(f"launcher: ended {ended} processes that the last {part} left behind", flush=True)
    process_groups.record_own_group(run_dir, part)
    os.execvp(command[0], command)


def die_with_parent(parent_pid_file: Path) -> None:
    """Make the kernel send SIGTERM when the parent dies. Exit at once if it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if str(os.getppid()) != parent_pid_file.read_text().strip():
        sys.exit("launcher: supervisord has ended")


if __name__ == "__main__":
    main()
