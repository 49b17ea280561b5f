"""Run the follower of the gateway's log: `python -m infra.local.processes.usage`."""

import logging
import os
import time

from chalicelib.bootstrap import container
from gateway.usage.follower import UsageFollower, run
from infra.local.layout import layout_from
from infra.local.processes.health import accepts_connections


def main() -> None:
    """Run until a signal ends the process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    layout = layout_from(os.environ)
    alive = layout.run_dir / "usage.alive"
    follower = UsageFollower(
        usage=container().stores.usage,
        log_path=layout.access_log,
        checkpoint_path=layout.usage_dir / "state.json",
        now_ms=lambda: time.time_ns() // 1_000_000,
        alive=alive.touch,
        gateway_runs=lambda: accepts_connections(layout.socket("origin")),
    )
    run(follower)


if __name__ == "__main__":
    main()
