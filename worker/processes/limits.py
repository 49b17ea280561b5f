"""Resource limits of every child process. Children end when the worker does.

util-linux sets both, in front of the program: no Python code runs between fork and exec, which a program with threads
must not do.
"""

import os
from dataclasses import dataclass

OPEN_FILES_MAX = 256
# A segment of 10 s at ten times the largest bitrate of a ladder stays below it.
FILE_BYTES_MAX = 512 << 20


@dataclass(frozen=True)
class AddressSpace:
    """How much memory a program may map, most of it never touched: each thread has a stack and an arena of malloc."""

    bytes: int
    bytes_per_core: int


# Measured as VmPeak on one core and on two, and with the threads of eight: docs/pipeline.md has the table.
# Receivers: 150 MiB, by SRT 360, of a file of 12 h 485. ffprobe and the checker: 305. All grow by 30 MiB a core.
READING = AddressSpace(4 << 30, 256 << 20)
# Six renditions of 2160p from HDR: 3.6 GiB on one core, 6.3 on two, 13 on eight, and 2 for pictures that wait.
ENCODING = AddressSpace(6 << 30, 1536 << 20)


def limit_argv(argv: list[str], cores: int | None = None, space: AddressSpace = READING) -> list[str]:
    """Return the argument list that runs a program within its limits and kills it when the thread that made it ends."""
    bytes_max = space.bytes + space.bytes_per_core * (cores or os.cpu_count() or 1)
    return [
        *("setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--"),
        *("prlimit", f"--as={bytes_max}", f"--nofile={OPEN_FILES_MAX}", f"--fsize={FILE_BYTES_MAX}", "--core=0", "--"),
        *argv,
    ]
