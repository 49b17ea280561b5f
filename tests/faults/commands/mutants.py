"""Plant known bugs, one by one, in a copy of the code, and run the tests that find them.

A bug is found if a test fails within the CPU time limit, which does not depend on the load of the machine. The status
is 1 if a bug is not found or cannot be planted. `make mutants ARGS="kick trim"` plants those with one of these words
in their names.
"""

import argparse
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
from tests.faults.mutants.access import MUTANTS_OF_ACCESS
from tests.faults.mutants.gateway import MUTANTS_OF_GATEWAY
from tests.faults.mutants.ledger import MUTANTS_OF_LEDGER
from tests.faults.mutants.media import MUTANTS_OF_MEDIA
from tests.faults.mutants.mutant import Mutant
from tests.faults.mutants.selling import MUTANTS_OF_SELLING

MUTANTS = (*MUTANTS_OF_SELLING, *MUTANTS_OF_LEDGER, *MUTANTS_OF_ACCESS, *MUTANTS_OF_GATEWAY, *MUTANTS_OF_MEDIA)
KILL_S_MAX = 60.0
WALL_S_MAX = 300.0
PARTS = ("app.py", "chalicelib", "gateway", "infra", "player", "tests", "worker", "pyproject.toml")


@dataclass(frozen=True)
class Result:
    """The result of a mutant; `by` is the test that found it."""

    mutant: Mutant
    found: bool
    by: str
    wall_s: float
    cpu_s: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="plant only bugs with one of these in their names")
    words = parser.parse_args().words
    chosen = [each for each in MUTANTS if not words or any(word in each.name for word in words)]
    results = []
    for number, mutant in enumerate(chosen, 1):
        results.append(try_mutant(mutant))
        print(f"{number}/{len(chosen)} {row(results[-1])}", flush=True)
    alive = [each for each in results if not each.found]
    print(f"\n{len(results) - len(alive)} of {len(results)} found")
    for result in results:
        print(row(result))
    return 1 if alive or not chosen else 0


def row(result: Result) -> str:
    found = "found   " if result.found else "SURVIVED"
    return f"{found} {result.wall_s:5.1f} s ({result.cpu_s:4.1f} s cpu)  {result.mutant.name}: {result.by}"


def try_mutant(mutant: Mutant) -> Result:
    """Plant a bug in a copy and run its tests."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        for part in PARTS:
            copy_part(ROOT / part, copy / part)
        if missing := plant(mutant, copy):
            return Result(mutant, False, f"not planted: {missing}", 0.0, 0.0)
        began_s, before_s = time.monotonic(), children_cpu_s()
        status, output = run_tests(mutant, copy)
        wall_s, cpu_s = time.monotonic() - began_s, children_cpu_s() - before_s
    # Status 1: tests failed. From 2 on the run itself failed.
    found = status == 1 and cpu_s < KILL_S_MAX
    by = first_failure(output) if status == 1 else f"exit status {status}: {output[-300:].strip()}"
    return Result(mutant, found, by, wall_s, cpu_s)


def children_cpu_s() -> float:
    """Return the CPU time of all ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def copy_part(part: Path, to: Path) -> None:
    """Copy a file or a directory without caches."""
    if part.is_dir():
        shutil.copytree(part, to, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "dist", ".hypothesis"))
    else:
        shutil.copy(part, to)


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
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        command,
        cwd=copy,
        env={**environ, "PYTHONDONTWRITEBYTECODE": "1", "FAULTS": "all"},
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


if __name__ == "__main__":
    sys.exit(main())
