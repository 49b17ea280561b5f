"""Make the real cause of each alarm on a private platform, and check that it fires in a real Prometheus and clears.

The rules are those of production with shorter times. The status is 0 if every alarm fired and cleared.
"""

import sys
import time
from collections.abc import Iterable

from tests.alarms.causes import CAUSES, Cause
from tests.alarms.lab import CHANGE_S_MAX, Lab, running_lab
from tests.faults.harness.command_line import command_parser
from tests.fixtures.waiting import wait_for


def change(lab: Lab, alarms: Iterable[str], *, fires: bool) -> dict[str, float]:
    """Wait until all of these alarms fire or have cleared. Return the seconds of each that did in time."""
    began, left, took = time.monotonic(), set(alarms), {}

    def look() -> bool:
        firing = lab.firing()
        for name in [each for each in left if (each in firing) is fires]:
            took[name] = time.monotonic() - began
            left.remove(name)
        time.sleep(0.5)
        return not left

    try:
        wait_for("alarms", look, CHANGE_S_MAX)
    except AssertionError:
        print(f"  not in {CHANGE_S_MAX:.0f} s: {', '.join(sorted(left))}; firing: {sorted(lab.firing())}", flush=True)
    return took


def try_cause(lab: Lab, cause: Cause, names: Iterable[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Make a cause and end it. Return the seconds after which each alarm fired, and after which it cleared."""
    fired: dict[str, float] = {}
    change(lab, names, fires=False)
    try:
        with cause(lab):
            fired = change(lab, names, fires=True)
    except Exception as error:
        print(f"  {cause.__name__}: {error!r}", flush=True)
    return fired, change(lab, names, fires=False)


def main() -> int:
    parser = command_parser("make alarms", __doc__ or "")
    parser.add_argument("--only", default="", help="alarms by name, separated by commas")
    only = set(filter(None, parser.parse_args().only.split(",")))
    chosen = {cause: names for cause, names in CAUSES.items() if not only or only & set(names)}
    failed = 0
    with running_lab() as lab:
        print("| alarm | cause | fires after | clears after |\n| --- | --- | --- | --- |", flush=True)
        for cause, names in chosen.items():
            fired, cleared = try_cause(lab, cause, names)
            for name in names:
                times = [f"{took[name]:.0f} s" if name in took else "**never**" for took in (fired, cleared)]
                failed += name not in fired or name not in cleared
                print(f"| {name} | {cause.__name__} | {times[0]} | {times[1]} |", flush=True)
    print(f"{failed} alarms failed" if failed else "every alarm fired and cleared")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
