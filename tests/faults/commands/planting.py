"""Plants one known bug in a copy of the code, and runs the tests that find it."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from infra.local.layout import ROOT
from tests.faults.mutants.mutant import Mutant

KILL_S_MAX = 60.0
WALL_S_MAX = 300.0
PARTS = ("app.py", "chalicelib", "docs", "gateway", "infra", "player", "tests", "worker", "pyproject.toml")


@dataclass(frozen=True)
class Result:
    """The result of a mutant; `by` is the test that found it."""

    name: str
    found: bool
    by: str
    wall_s: float
    cpu_s: float


def try_mutant(name: str, mutant: Mutant) -> Result:
    """Plant a bug in a copy and run its tests."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        copy_code(copy)
        if missing := plant(mutant, copy):
            return Result(name, False, f"not planted: {missing}", 0.0, 0.0)
        began_s, before_s = time.monotonic(), children_cpu_s()
        status, output = run_tests(mutant, copy)
        wall_s, cpu_s = time.monotonic() - began_s, children_cpu_s() - before_s
    # Status 1: tests failed. From 2 on the run itself failed.
    found = status == 1 and cpu_s < KILL_S_MAX
    by = first_failure(output) if status == 1 else f"exit status {status}: {output[-300:].strip()}"
    return Result(name, found, by, wall_s, cpu_s)


def children_cpu_s() -> float:
    """Return the CPU time of all ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def copy_code(to: Path) -> None:
    """Copy the code and its tests without caches."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "dist", ".hypothesis")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, to / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, to / part)


def clean_environment() -> dict[str, str]:
    """Return the environment without a path to other code."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**environ, "PYTHONDONTWRITEBYTECODE": "1"}


def plant(mutant: Mutant, copy: Path) -> str:
    """Change the code. Returns a text that is not there exactly once, if any."""
    for file, old, new in ((mutant.file, mutant.old, mutant.new), *mutant.also):
        path = copy / file
        text = path.read_text()
        if text.count(old) != 1:
            return f"{text.count(old)} times in {file}: {old!r}"
        path.write_text(text.replace(old, new))
    return ""


def run_tests(mutant: Mutant, copy: Path) -> tuple[int, str]:
    """Run the tests in the copy until the first failure. Returns the status and the output."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", *mutant.tests]
    process = subprocess.Popen(
        command,
        cwd=copy,
        env={**clean_environment(), "FAULTS": "all"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=WALL_S_MAX)
    except subprocess.TimeoutExpired:
        # After SIGTERM pytest ends its emulator.
        process.terminate()
        output, _ = process.communicate(timeout=30)
        return -1, output
    return process.returncode, output


def first_failure(output: str) -> str:
    """Return the name of the first failed test, and its message."""
    names = [line.split(" ", 2)[1] for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    errors = [line[2:].strip() for line in output.splitlines() if line.startswith("E  ")]
    return f"{names[0].rsplit('/', 1)[-1] if names else '?'} — {errors[0][:110] if errors else ''}"
