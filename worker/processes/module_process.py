"""How the worker starts a program of its own: the same interpreter, and nothing of the caller's directory."""

import ctypes
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_RUN = "import runpy, sys; sys.path[0] = {root!r}; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def python_argv(module: str) -> list[str]:
    """Return the beginning of an argument list that runs a module of this checkout, wherever it is started."""
    return [sys.executable, "-B", "-c", _RUN.format(root=str(ROOT), module=module)]


def name_process(name: str) -> None:
    """Set what `ps` and `top` call this process: 15 characters at most."""
    pr_set_name = 15
    ctypes.CDLL(None).prctl(pr_set_name, name.encode()[:15], 0, 0, 0)
