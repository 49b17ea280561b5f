"""Plant known bugs, one by one, in a copy of the code, and run the tests that find them. Then let mutmut change it.

A planted bug is found if a test fails within the CPU time limit, which does not depend on the load of the machine. The
status is 1 if a bug is not found or cannot be planted, or if too many of mutmut's changes are not found (`mutation`).
`make mutants ARGS="kick trim"` only plants bugs with one of these words in their names, `ARGS=--rules` only mutates.
"""

import sys

from tests.faults.commands.mutation import SAMPLE, run_mutation
from tests.faults.commands.planting import Result, try_mutant
from tests.faults.harness.command_line import command_parser
from tests.faults.mutants.access import MUTANTS_OF_ACCESS
from tests.faults.mutants.gateway import MUTANTS_OF_GATEWAY
from tests.faults.mutants.ledger import MUTANTS_OF_LEDGER
from tests.faults.mutants.media import MUTANTS_OF_MEDIA
from tests.faults.mutants.metrics import MUTANTS_OF_METRICS
from tests.faults.mutants.operating import MUTANTS_OF_OPERATING
from tests.faults.mutants.payments import MUTANTS_OF_PAYMENTS
from tests.faults.mutants.selling import MUTANTS_OF_SELLING
from tests.faults.mutants.settling import MUTANTS_OF_SETTLING
from tests.faults.mutants.versions import MUTANTS_OF_VERSIONS

MUTANTS = (
    MUTANTS_OF_SELLING
    | MUTANTS_OF_LEDGER
    | MUTANTS_OF_SETTLING
    | MUTANTS_OF_PAYMENTS
    | MUTANTS_OF_ACCESS
    | MUTANTS_OF_GATEWAY
    | MUTANTS_OF_MEDIA
    | MUTANTS_OF_METRICS
    | MUTANTS_OF_OPERATING
    | MUTANTS_OF_VERSIONS
)


def main() -> int:
    parser = command_parser("make mutants", __doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="plant only bugs with one of these in their names")
    parser.add_argument("--rules", action="store_true", help="plant nothing, only run mutmut")
    parser.add_argument("--sample", type=int, default=SAMPLE, help=f"mutants of mutmut to test (default: {SAMPLE})")
    arguments = parser.parse_args()
    is_complete = True
    if not arguments.rules:
        words = arguments.words
        is_complete = plant_all([name for name in MUTANTS if not words or any(word in name for word in words)])
    if not arguments.words:
        print(f"seed {arguments.seed}", flush=True)
        is_complete &= run_mutation(arguments.seed, arguments.sample)
    return 0 if is_complete else 1


def plant_all(names: list[str]) -> bool:
    """Plant the bugs and print the results. Return whether all were found."""
    results = []
    for number, name in enumerate(names, 1):
        results.append(try_mutant(name, MUTANTS[name]))
        print(f"{number}/{len(names)} {row(results[-1])}", flush=True)
    alive = [each for each in results if not each.found]
    print(f"\n{len(results) - len(alive)} of {len(results)} found")
    for result in results:
        print(row(result))
    return bool(results) and not alive


def row(result: Result) -> str:
    found = "found   " if result.found else "SURVIVED"
    return f"{found} {result.wall_s:5.1f} s ({result.cpu_s:4.1f} s cpu)  {result.name}: {result.by}"


if __name__ == "__main__":
    sys.exit(main())
