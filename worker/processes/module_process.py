"""Programs of the worker itself: the same interpreter, and no module of the caller's directory."""

import ctypes
import sys
from pathlib import Path

# The line with the reason for a program's end begins with this.
ERROR_MARK = "[error]"
ROOT = Path(__file__).resolve().parents[2]
_RUN = "import runpy, sys; sys.path[0] = {root!r}; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def python_argv(module: str) -> list[str]:
    """Return the beginning of an argument list that runs a module of this checkout from any directory."""
    return [sys.executable, "-B", "-c", _RUN.format(root=str(ROOT), module=module)]


def name_process(name: str) -> None:
    """Set the name of this process for `ps` and `top`: 15 characters at most."""
    pr_set_name = 15
    ctypes.CDLL(None).prctl(pr_set_name, name.encode()[:15], 0, 0, 0)


def print_error(reason: object) -> None:
    """Log why this process ends, for `Child.complaint`."""
    print(f"{ERROR_MARK} {reason}", file=sys.stderr, flush=True)
