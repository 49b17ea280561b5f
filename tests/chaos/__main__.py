"""A stream that everything happens to: `python -m tests.chaos [--minutes 10] [--seed N]`.

For ten minutes the encoder is killed 5 times and the worker 3 times, another worker takes over twice in good order,
uploads fail for a minute, and a worker is frozen, replaced, and wakes again; in an order and at times drawn from the
seed. A follower polls through the gateway and holds every reading against all before; a real mpv plays. Status 0 if
nothing was wrong and no event made mpv stall twice, or for more than 5 s beyond the time for which there was nothing
to play.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import Kind, plan
from tests.chaos.report import HEAD, notes
from tests.chaos.run import play
from tests.faults.harness.private_stack import private_stack, seed_of

# Of ten minutes; of less, as many less.
COUNTS = {Kind.ENCODER: 5, Kind.WORKER: 3, Kind.HAND_OVER: 2, Kind.UPLOADS: 1, Kind.FREEZE: 1}
UPLOADS_FAIL_S = 60.0
MINUTES = 10
SEGMENT_SECONDS = 2
SESSIONS_MAX = 3
# What is shown of each worker's log if something was wrong.
LOG_CHARS = 8_000


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=MINUTES, help="more or less of everything (2 at least)")
    parser.add_argument("--seed")
    asked = parser.parse_args()
    if asked.minutes < 2:
        parser.error(f"--minutes is {asked.minutes:g}; allowed: 2 or more")
    seed, share = seed_of(asked.seed), asked.minutes / MINUTES
    rng = random.Random(seed)
    counts = {kind: max(1, round(count * share)) for kind, count in COUNTS.items()}
    planned = plan(rng, counts, UPLOADS_FAIL_S * min(share, 1.0), asked.minutes * 60)
    print(f"seed {seed}, {os.cpu_count()} processors with a load of {os.getloadavg()[0]:.1f} before", flush=True)
    with private_stack(SESSIONS_MAX) as stack, tempfile.TemporaryDirectory(prefix="tollcast-chaos-") as directory:
        outcome = play(stack, planned, rng, Path(directory), SEGMENT_SECONDS)
        if outcome.violations:
            for log in sorted(Path(directory).glob("*.log")):
                print(f"{log.name}:\n{log.read_text(errors='replace')[-LOG_CHARS:]}")
    print(f"load {os.getloadavg()[0]:.1f} after\n{HEAD}")
    for line in (*outcome.rows, *notes(planned.uploads_fail_s), outcome.summary):
        print(line)
    wrong = [*outcome.violations, *outcome.broken_goals]
    print("\n".join([f"{len(wrong)} violations", *wrong]), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
