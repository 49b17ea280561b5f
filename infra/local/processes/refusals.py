"""Run the collector of the ingest's refusals: `python -m infra.local.processes.refusals`."""

import logging
import os
import time

from chalicelib.bootstrap import container
from gateway.ingest.refusal_collector import RefusalCollector, run
from infra.local.layout import layout_from


def main() -> None:
    """Run until a signal ends the process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    layout = layout_from(os.environ)
    alive = layout.run_dir / "refusals.alive"
    collector = RefusalCollector(container().ingest_refusals, lambda: time.time_ns() // 1_000_000)
    run(collector, layout.socket("refusals"), alive.touch)


if __name__ == "__main__":
    main()
