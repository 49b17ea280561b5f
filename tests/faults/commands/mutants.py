"""Plants each known bug of `mutant_list.py` in a copy of the code and runs the fault suite on it: `make mutants`.

A bug is found if a test fails on it within the time, counted as the processor's so that a busy machine finds the same;
one that is not found, or whose place is gone, makes the exit status 1.
The working tree is never touched. `make mutants ARGS="kick trim"` plants those whose names have one of these words.
"""

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
from tests.faults.mutants.selling import MUTANTS

KILL_S_MAX = 60.0
WALL_S_MAX = 300.0
PARTS = ("app.py", "chalicelib", "gateway", "infra", "player", "tests", "worker", "pyproject.toml")


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: `by` is the test that found it."""

    mutant: Mutant
    found: bool
    by: str
    wall_s: float
    cpu_s: float


def main() -> int:
    """Try all, or those that were named."""
    words = sys.argv[1:]
    chosen = [each for each in MUTANTS if not words or any(word in each.name for word in words)]
    verdicts = []
    for number, mutant in enumerate(chosen, 1):
        verdicts.append(tried(mutant))
        print(f"{number}/{len(chosen)} {row(verdicts[-1])}", flush=True)
    alive = [each for each in verdicts if not each.found]
    print(f"\n{len(verdicts) - len(alive)} of {len(verdicts)} found")
    for verdict in verdicts:
        print(row(verdict))
    return 1 if alive or not chosen else 0


def row(verdict: Verdict) -> str:
    """A line of the table."""
    found = "found   " if verdict.found else "SURVIVED"
    return f"{found} {verdict.wall_s:5.1f} s ({verdict.cpu_s:4.1f} s cpu)  {verdict.mutant.name}: {verdict.by}"


def tried(mutant: Mutant) -> Verdict:
    """Plant it in a copy and run the tests that should find it."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        for part in PARTS:
            copied(ROOT / part, copy / part)
        if missing := planted(mutant, copy):
            return Verdict(mutant, False, f"not planted: {missing}", 0.0, 0.0)
        began_s, before_s = time.monotonic(), children_s()
        status, output = tested(mutant, copy)
        wall_s, cpu_s = time.monotonic() - began_s, children_s() - before_s
    # 1 is "tests failed"; 2 and up are errors of the run itself, which find nothing.
    found = status == 1 and cpu_s < KILL_S_MAX
    by = first_failure(output) if status == 1 else f"exit status {status}: {output[-300:].strip()}"
    return Verdict(mutant, found, by, wall_s, cpu_s)


def children_s() -> float:
    """The processor's time of all processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def copied(part: Path, to: Path) -> None:
    """Copy a file or a directory without what was made by running it."""
    if part.is_dir():
        shutil.copytree(part, to, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "dist", ".hypothesis"))
    else:
        shutil.copy(part, to)


def planted(mutant: Mutant, copy: Path) -> str:
    """Make the changes; answers the text that is not there exactly once, if any."""
    for file, old, new in ((mutant.file, mutant.old, mutant.new), *mutant.also):
        path = copy / file
        text = path.read_text()
        if text.count(old) != 1:
            return f"{text.count(old)} times in {file}: {old!r}"
        path.write_text(text.replace(old, new))
    return ""


def tested(mutant: Mutant, copy: Path) -> tuple[int, str]:
    """Run the tests in the copy until the first failure; answers the exit status and the output."""
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
        # SIGTERM lets pytest end the emulator that it has started.
        process.terminate()
        output, _ = process.communicate(timeout=30)
        return -1, output
    return process.returncode, output


def first_failure(output: str) -> str:
    """The name of the first test that failed, and what it said was broken."""
    names = [line.split(" ", 2)[1] for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    said = [line[2:].strip() for line in output.splitlines() if line.startswith("E  ")]
    return f"{names[0].rsplit('/', 1)[-1] if names else '?'} — {said[0][:110] if said else ''}"


if __name__ == "__main__":
    sys.exit(main())
