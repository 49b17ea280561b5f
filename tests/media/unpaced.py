"""The worker's receiver, but for its pace: what a file holds comes as fast as it is read."""

import sys

from worker.receiving import __main__ as receiving
from worker.receiving.pacing import Pacer


def unpaced() -> Pacer:
    """Return a pacer that holds nothing back."""
    return Pacer(sleep=lambda _: None)


if __name__ == "__main__":
    receiving.Pacer = unpaced  # type: ignore[misc, assignment]
    sys.exit(receiving.main())
