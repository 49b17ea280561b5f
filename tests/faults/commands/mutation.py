"""Let mutmut change the rules in small ways, and check that the unit and contract tests notice.

All mutants of a group's `whole` modules and functions are tested, and a random sample of the others. Each of the former
has to be found, unless `EQUIVALENT` lists it. Of the sample a share has to be found. The others are
printed: each is a missing assertion or an equivalent change.
"""

import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.commands.planting import clean_environment, copy_code

SAMPLE = 300
FOUND_SHARE_MIN = 0.7
GROUP_S_MAX = 3_600.0
# Exit statuses of the tests; None if mutmut was interrupted.
SURVIVED, NO_TESTS = (0, None), (5, 33)
# These take long, or start an emulator, which each mutant would do again.
WITHOUT_EMULATOR = (
    "not aws and not test_reconciliations and not only_its_segments and not signed_query and not none_of_ours "
    "and not mixed_up and not cloudfront and not test_settling_runs and not from_before"
)
UNIT_TESTS = tuple(f"tests/unit/{subject}" for subject in ("access", "accounts", "money", "streams"))
# Texts for people are not mutated.
CONFIGURATION = r"""
[tool.mutmut]
source_paths = ["chalicelib"]
only_mutate = {only}
also_copy = ["app.py", "gateway", "infra", "player", "worker", "docs"]
do_not_mutate_patterns = ['raise \w+', '"detail"']
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
"""


@dataclass(frozen=True)
class Group:
    """Files to mutate, and the tests that have to find it. `whole` are modules and functions without a sample."""

    name: str
    files: tuple[str, ...]
    whole: tuple[str, ...]
    tests: tuple[str, ...]
    sample_share: float = 1.0


GROUPS = (
    Group(
        "rules",
        ("chalicelib/domain/*", "chalicelib/services/*"),
        (
            "chalicelib.domain.money.lease.",
            "chalicelib.domain.money.settlement.",
            "chalicelib.services.access.access.",
        ),
        (*UNIT_TESTS, "tests/contract", "-k", WITHOUT_EMULATOR),
    ),
    Group(
        "wallet writes",
        ("chalicelib/adapters/money/wallet_writes.py", "chalicelib/adapters/money/settlement_writes.py"),
        ("chalicelib.adapters.money.wallet_writes.x_end_", "chalicelib.adapters.money.wallet_writes.x_outage_credit_"),
        ("tests/contract/money", "-k", "aws"),
        # Each of these mutants starts an emulator.
        sample_share=0.2,
    ),
)


@dataclass(frozen=True)
class Change:
    """A change of lines in a function, named `module.function`."""

    function: str
    old: str
    new: str


# No test can find these changes, since the code does the same.
EQUIVALENT = {
    # Times are milliseconds since 1970, so an outage that ended in 1970 is none.
    Change(
        "lease.decide",
        "wallet: Wallet, session: ActiveSession, seq: int, now_ms: int, *, delivered: bool, down_until_ms: int = 0",
        "wallet: Wallet, session: ActiveSession, seq: int, now_ms: int, *, delivered: bool, down_until_ms: int = 1",
    ),
    # Without an amount there is no entry.
    *(
        Change(
            "settlement.SettlementWrite.entry",
            "kind=EntryKind.SERVED_AHEAD if self.settlement.millipoints < 0 else EntryKind.UNSERVED_CREDIT,",
            f"kind=EntryKind.SERVED_AHEAD if self.settlement.millipoints {bound} else EntryKind.UNSERVED_CREDIT,",
        )
        for bound in ("<= 0", "< 1")
    ),
    # Exactly what was paid and granted is neither charged nor credited.
    Change(
        "settlement.settlement_of",
        "if ahead_ms > 0 and record.end_reason in VIEWERS_OWN and not record.in_outage:",
        "if ahead_ms >= 0 and record.end_reason in VIEWERS_OWN and not record.in_outage:",
    ),
    Change("settlement.settlement_of", "if short_ms > 0:", "if short_ms >= 0:"),
    # Less than a second is no second.
    Change(
        "access.Access.issue",
        "return self._tokens.sign_play(claims), max(0, expires_at_ms - now_ms) // 1000",
        "return self._tokens.sign_play(claims), max(1, expires_at_ms - now_ms) // 1000",
    ),
}


def run_mutation(seed: int, sample: int) -> bool:
    """Test all groups. Return whether enough mutants were found."""
    results = [run_group(group, random.Random(seed), round(sample * group.sample_share)) for group in GROUPS]
    return all(results)


def run_group(group: Group, rng: random.Random, sample: int) -> bool:
    """Test the whole modules and a sample of the other mutants, and print those that survived."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        copy_code(copy)
        with (copy / "pyproject.toml").open("a") as text:
            text.write(CONFIGURATION.format(only=json.dumps(group.files), tests=json.dumps(group.tests)))
        run_mutmut(copy, *(f"{module}*" for module in group.whole))
        whole = {name: code for name, code in exit_codes(copy).items() if name.startswith(group.whole)}
        survivors = [shown(copy, name) for name, code in whole.items() if code in (*SURVIVED, *NO_TESTS)]
        unknown = [each for each in survivors if each not in EQUIVALENT]
        print(f"{group.name}: all {len(whole)} mutants of {' '.join(group.whole)}: {len(unknown)} survived")
        print_changes(unknown)
        others = sorted(exit_codes(copy).keys() - whole.keys())
        chosen = rng.sample(others, min(sample, len(others)))
        if not chosen:
            return not unknown
        run_mutmut(copy, *chosen)
        codes = exit_codes(copy)
        tested = [name for name in chosen if codes[name] not in NO_TESTS]
        survivors = [shown(copy, name) for name in tested if codes[name] in SURVIVED]
        share = 1 - len(survivors) / len(tested)
        print(
            f"{group.name}: a sample of {len(chosen)} of {len(others)} others: {len(survivors)} survived, "
            f"{len(chosen) - len(tested)} are not covered by these tests, {share:.0%} found"
        )
        print_changes(survivors)
        return not unknown and share >= FOUND_SHARE_MIN


def run_mutmut(copy: Path, *names: str) -> None:
    """Test these mutants; a name may be a pattern. The first run also creates all mutants."""
    command = [sys.executable, "-m", "mutmut", "run", *names]
    done = subprocess.run(
        command, cwd=copy, env=clean_environment(), capture_output=True, text=True, timeout=GROUP_S_MAX, check=False
    )
    if done.returncode:
        raise SystemExit(f"mutmut ended with status {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def exit_codes(copy: Path) -> dict[str, int | None]:
    """Return the exit status of the tests of each mutant, or None if it was not tested."""
    found: dict[str, int | None] = {}
    for path in (copy / "mutants").rglob("*.meta"):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def shown(copy: Path, name: str) -> Change:
    """Return the change of a mutant."""
    command = [sys.executable, "-m", "mutmut", "show", name]
    done = subprocess.run(command, cwd=copy, env=clean_environment(), capture_output=True, text=True, check=True)
    # Functions are named `x_name`, methods `xǁClassǁname`.
    module, _, function = re.sub(r"__mutmut_\d+$", "", name).rpartition(".")
    return Change(
        f"{module.rpartition('.')[2]}.{function[2:].replace('ǁ', '.')}",
        " ".join(changed_lines(done.stdout, "-")),
        " ".join(changed_lines(done.stdout, "+")),
    )


def changed_lines(diff: str, sign: str) -> Iterator[str]:
    """Yield the removed or the added lines of a diff."""
    for line in diff.splitlines():
        if line.startswith(sign) and not line.startswith(sign * 3):
            yield line[1:].strip()


def print_changes(changes: list[Change]) -> None:
    for change in changes:
        print(f"  {change.function}\n    - {change.old}\n    + {change.new}", flush=True)
