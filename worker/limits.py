"""What every program that the worker starts may use, and that it ends when the worker does.

Both by util-linux, in front of the program: no Python code runs between fork and exec, which a program with threads
must not do.
"""

import os

# Address space, most of it never touched: every thread of a codec reserves a stack and an arena of malloc. Measured on
# two cores: 1.2 GB for the ladder `full`, 2.1 GB for six renditions from 2160p down. More cores mean more threads.
ADDRESS_SPACE_BYTES = 4 << 30
ADDRESS_SPACE_BYTES_PER_CORE = 1 << 30
OPEN_FILES_MAX = 256
# A segment of 10 s at ten times the largest bitrate of a ladder stays below it.
FILE_BYTES_MAX = 512 << 20


def bounded(argv: list[str], cores: int | None = None) -> list[str]:
    """The argument list that runs this program within its limits, and kills it when the thread that made it is gone."""
    space = ADDRESS_SPACE_BYTES + ADDRESS_SPACE_BYTES_PER_CORE * (cores or os.cpu_count() or 1)
    return [
        *("setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--"),
        *("prlimit", f"--as={space}", f"--nofile={OPEN_FILES_MAX}", f"--fsize={FILE_BYTES_MAX}", "--core=0", "--"),
        *argv,
    ]
