"""Kill parts of the pipeline of a stream while mpv plays it.

In ten minutes the encoder is killed 5 times and the worker 3 times, another worker takes over twice, uploads fail for a
minute, and a worker is frozen, replaced and resumed. Order and times follow from the seed. A follower polls through
the gateway and compares every playlist with all before. The status is 0 if there is no violation, and no event made
mpv stall twice, or for more than 5 s beyond the time without new segments.
"""

import os
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import Kind, make_plan
from tests.chaos.report import HEAD, notes
from tests.chaos.run import run_plan
from tests.faults.harness.command_line import add_minutes, command_parser, print_start
from tests.faults.harness.private_stack import private_stack

# The events of ten minutes. A shorter run has fewer.
COUNTS = {Kind.ENCODER: 5, Kind.WORKER: 3, Kind.HAND_OVER: 2, Kind.UPLOADS: 1, Kind.FREEZE: 1}
UPLOADS_FAIL_S = 60.0
MINUTES = 10
SEGMENT_SECONDS = 2
SESSIONS_MAX = 3
# The part of each worker's log that is printed after a violation.
LOG_CHARS = 8_000


def main() -> int:
    parser = command_parser("make chaos", __doc__)
    add_minutes(parser, MINUTES, least=2)
    arguments = parser.parse_args()
    share, rng = arguments.minutes / MINUTES, random.Random(arguments.seed)
    counts = {kind: max(1, round(count * share)) for kind, count in COUNTS.items()}
    plan = make_plan(rng, counts, UPLOADS_FAIL_S * min(share, 1.0), arguments.minutes * 60)
    print_start(arguments.seed)
    with private_stack(SESSIONS_MAX) as stack, tempfile.TemporaryDirectory(prefix="tollcast-chaos-") as directory:
        outcome = run_plan(stack, plan, rng, Path(directory), SEGMENT_SECONDS)
        if outcome.violations:
            for log in sorted(Path(directory).glob("*.log")):
                print(f"{log.name}:\n{log.read_text(errors='replace')[-LOG_CHARS:]}")
    print(f"load {os.getloadavg()[0]:.1f} after\n{HEAD}")
    for line in (*outcome.rows, *notes(plan.uploads_fail_s), outcome.summary):
        print(line)
    wrong = [*outcome.violations, *outcome.broken_goals]
    print("\n".join([f"{len(wrong)} violations", *wrong]), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
