"""Check that the worker on this machine runs: `python -m worker.health`, status 0 or 1. For containers."""

import sys
import time

from chalicelib.config import ConfigError
from worker import config

# The main loop touches its file every half second; a request to an unavailable store may block it for a while.
AGE_S_MAX = 30.0


def main() -> int:
    """Print what is wrong, if anything, and return the exit status."""
    try:
        path = config.load().heartbeat_file
        age_s = time.time() - path.stat().st_mtime
    except (ConfigError, OSError) as error:
        print(f"the worker does not run: {error}", file=sys.stderr)
        return 1
    if age_s > AGE_S_MAX:
        print(f"the worker's main loop has been blocked for {age_s:.0f} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
