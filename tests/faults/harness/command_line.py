"""The command line of the long runs: `make soak`, `load`, `kills`, `chaos` and `fuzz`, and of measurements."""

import argparse
import os
import secrets
from collections.abc import Callable


def command_parser(prog: str, doc: str) -> argparse.ArgumentParser:
    """Return a parser with `--seed`; the first line of the module's docstring describes the command."""
    parser = argparse.ArgumentParser(prog=prog, description=doc.split("\n")[0])
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="repeats a run (default: random)")
    return parser


def add_minutes(parser: argparse.ArgumentParser, default: float, *, least: float = 0.0) -> None:
    """Add `--minutes`."""
    parser.add_argument("--minutes", type=_at_least(least), default=default, help=f"default: {default:g}")


def print_start(seed: int) -> None:
    """Print the seed and the load of the machine."""
    print(f"seed {seed}, {os.cpu_count()} processors with a load of {os.getloadavg()[0]:.1f} before", flush=True)


def _at_least(least: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is too short. Use {least:g} or more.")
        return value

    return number
