"""Creates inputs from their rows, each in a separate directory, and keeps them for the next run."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.media.inputs.edits import EDITS
from tests.media.inputs.model import Input

AT_ONCE = 2
# At the lowest priority beside a whole test run, seconds of work take minutes.
COMMAND_S_MAX = 600
FFMPEG = ("ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y")


class NotMade(Exception):
    """An input could not be made. The message has the command and its output."""


def make(item: Input, cache: Path) -> Path:
    """Return the directory with the input's files. It is created again when its commands or the edits have changed."""
    edits = Path(sys.modules[EDITS["join"].__module__].__file__ or "").read_bytes()
    version = hashlib.sha256("\n".join(item.make).encode() + edits).hexdigest()[:12]
    directory = cache / f"{item.name}-{version}"
    if directory.is_dir():
        return directory
    # It is renamed when it is complete, so that an interrupted one is never used.
    unfinished = cache / f".{directory.name}-{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for line in item.make:
        run_line(item.name, line, unfinished)
    unfinished.rename(directory)
    return directory


def make_all(items: Iterable[Input], cache: Path, at_once: int = AT_ONCE) -> dict[str, Path]:
    """Return the directory of each input by its name. Raise `NotMade`."""
    cache.mkdir(parents=True, exist_ok=True)
    chosen = list(items)
    with ThreadPoolExecutor(at_once) as pool:
        return dict(zip([item.name for item in chosen], pool.map(lambda item: make(item, cache), chosen), strict=True))


def run_line(name: str, line: str, directory: Path) -> None:
    """Run a line of `Input.make` in a directory. Raise `NotMade`."""
    program, *words = shlex.split(line)
    argv = (
        [*FFMPEG, *words]
        if program == "ffmpeg"
        else [sys.executable, "-m", "tests.media.inputs.making", program, *words]
    )
    root = Path(__file__).resolve().parents[3]
    environ = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(argv, cwd=directory, env=environ, capture_output=True, text=True, timeout=COMMAND_S_MAX)
    if done.returncode:
        raise NotMade(f"{name}: {line}\n{done.stderr[-800:]}")


if __name__ == "__main__":
    # An edit works in the current directory, of which a process has only one.
    EDITS[sys.argv[1]](*sys.argv[2:])
