"""Bring rows that earlier functions wrote into the lists: `python -m infra.commands.fill_lists`.

The migration does so once. Functions of the version before may write rows after it, until they are replaced.
"""

import sys

from chalicelib import config
from chalicelib.ports.common import StoreUnavailable
from infra.migrations.list_places import fill


def main() -> int:
    """Fill the lists of the stage that the environment names, and print how many rows were written."""
    try:
        written = fill(config.load())
    except (config.ConfigError, StoreUnavailable) as error:
        print(f"{error}\nRun it again: rows that have their place are not written twice.", file=sys.stderr)
        return 1
    print(", ".join(f"{table}: {count}" for table, count in written.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
