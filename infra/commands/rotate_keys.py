"""Rotate the keys of all tokens now: `python -m infra.commands.rotate_keys`, for the stage of the environment.

It takes two minutes: new keys are announced, and become current when all processes can know them. No login ends. The
previous keys stay valid, older ones do not. The schedule `tend_token_keys` does the same every 30 days, and completes a
rotation that was interrupted here.
"""

import argparse
import sys
import time
from collections.abc import Callable

from chalicelib.bootstrap import Container
from chalicelib.config import ConfigError, load
from chalicelib.domain.access.key_sets import ANNOUNCED_MS, KeySets
from chalicelib.ports.common import RowRefused, StoreUnavailable
from chalicelib.services.access.key_rotation import SETTLED_MS, KeyRotation

STEPS_MAX = 3


class TooSoon(Exception):
    """The keys were changed less than `SETTLED_MS` ago."""


def rotate(rotation: KeyRotation, wait: Callable[[float], None], say: Callable[[str], None]) -> None:
    """Run both phases, with the wait between them. Raise `TooSoon`, or `RowRefused` if another rotation runs."""
    sets = rotation.begin()
    if not _any_announced(sets):
        raise TooSoon(f"they were changed less than {SETTLED_MS // 60_000} minutes ago; try again later")
    for _ in range(STEPS_MAX):
        if not _any_announced(sets):
            break
        say(f"announced: {_listed(sets, announced=True)}; they become current in {ANNOUNCED_MS // 1000} s")
        wait(ANNOUNCED_MS / 1000)
        sets = rotation.rotate_if_due()
    say(f"current: {_listed(sets, announced=False)}")


def _any_announced(sets: KeySets) -> bool:
    return any(key_set.announced for key_set in sets.values())


def _listed(sets: KeySets, *, announced: bool) -> str:
    return ", ".join(f"{kind} {(each.announced if announced else each.current) or '-'}" for kind, each in sets.items())


def main() -> int:
    """Run the command line. Return 1 if the keys could not be rotated."""
    description = "Rotate the keys of all tokens now, for the stage of the environment. It takes two minutes."
    argparse.ArgumentParser(prog="python -m infra.commands.rotate_keys", description=description).parse_args()
    try:
        rotate(Container(load()).key_rotation, time.sleep, lambda text: print(text, flush=True))
    except RowRefused:
        print("Another rotation of the keys runs. Try again in a few minutes.", file=sys.stderr)
        return 1
    except (ConfigError, StoreUnavailable, TooSoon) as error:
        print(f"The keys were not rotated: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
