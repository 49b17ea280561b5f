"""A function in a process of its own that is killed at a write: `python -m tests.faults.harness.killed_process '{…}'`.

Prints `done` if it was not.
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
from tests.faults.harness.drivers import ServicesDoor
from tests.faults.harness.environment import Terms
from tests.faults.harness.store_faults import Fault, Faults, faulty_network


def main() -> None:
    """Carry out one request of the parent's and die at the write that it names."""
    asked = json.loads(sys.argv[1])
    services = Container(replace(config.load(), denylist_dir=Path(asked["denylist_dir"])))
    services.clock = SetClock(asked["now_ms"])  # type: ignore[misc,assignment]
    door = ServicesDoor(SimpleNamespace(services=services))  # type: ignore[arg-type]
    user_id, session_id = asked["user_id"], asked["session_id"]
    acts = {
        "start": lambda: door.start(user_id, Terms(asked["stream_id"], 0, 0), False, asked["key"]),
        "beat": lambda: door.beat(user_id, session_id, 2),
        "stop": lambda: door.stop(user_id, session_id),
        "kick": lambda: door.kick(user_id, session_id),
        "pay": lambda: door.pay(user_id, asked["payment_id"], 5_000),
    }
    with faulty_network() as network:
        network.die = lambda: os.kill(os.getpid(), signal.SIGKILL)
        with network.under(Faults(on_write={asked["write"]: Fault(asked["fault"])})):
            acts[asked["kind"]]()
    print("done")


if __name__ == "__main__":
    main()
