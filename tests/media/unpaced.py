"""The worker's receiver, but for its pace: what a file holds comes as fast as it is read."""

import itertools
import sys
from collections.abc import Callable

from worker.receiving import __main__ as receiving
from worker.receiving.pacing import Pacer


def unpaced(is_held: Callable[[], None]) -> Pacer:
    """Return a pacer that holds nothing back."""
    return Pacer(is_held, monotonic=itertools.count(step=3_600).__next__)


if __name__ == "__main__":
    receiving.Pacer = unpaced
    sys.exit(receiving.main())
