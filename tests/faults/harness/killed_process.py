"""A function instance that is killed at a write: `python -m tests.faults.harness.killed_process '{…}'`.

Prints `done` if it survives.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from chalicelib import config
from chalicelib.bootstrap import Container
from tests.fakes.simple import SetClock
from tests.faults.harness.drivers import ServicesDriver
from tests.faults.harness.environment import StreamTerms
from tests.faults.harness.store_faults import Fault, FaultPlan, faulty_network


def main() -> None:
    """Execute the request of the parent process, and kill this process at the write that it names."""
    asked = json.loads(sys.argv[1])
    services = Container(replace(config.load(), denylist_dir=Path(asked["denylist_dir"])))
    services.stores.clock = SetClock(asked["now_ms"])
    driver = ServicesDriver(SimpleNamespace(services=services))
    user_id, session_id = asked["user_id"], asked["session_id"]
    requests = {
        "start": lambda: driver.start(user_id, StreamTerms(asked["stream_id"], 0, 0), False, asked["key"]),
        "beat": lambda: driver.beat(user_id, session_id, 2),
        "stop": lambda: driver.stop(user_id, session_id),
        "kick": lambda: driver.kick(user_id, session_id),
        "settle": lambda: driver.settle(session_id),
        "pay": lambda: driver.pay(user_id, asked["payment_id"], 5_000),
    }
    with faulty_network() as network:
        network.kill_process = lambda: os.kill(os.getpid(), signal.SIGKILL)
        with network.injecting(FaultPlan(on_write={asked["write"]: Fault(asked["fault"])})):
            requests[asked["kind"]]()
    print("done")


if __name__ == "__main__":
    main()
